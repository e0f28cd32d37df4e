"""How fast the ledger holds a budget: reserve + settle, beside floe-guard and beside itself.

    pip install floe-guard
    python -m benchmarks.ledger                     # beside floe-guard
    python -m benchmarks.ledger --before ../older   # and beside a checkout of another version

Both are asked for the same: hold the worst case of a call, then book what it used. Ours limits
tokens, money and calls under a key and keeps every entry with its answer; floe-guard limits
money, and tokens too where that is said; its row with tokens looks up the price as well, which
for ours the caller has done before. Rounds of both alternate, so that a disk or a machine
that gets slower gets slower for both; medians over the rounds are shown.

Beside another version of itself, each round is a process of its own, and the two take turns.
Deeper accounts are below others, in all of which each call is booked. A version in which accounts
do not stand in a tree grants them instead. PostgreSQL is started in a temporary folder.
"""

import argparse
import os
import platform
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count, product
from pathlib import Path
from typing import Literal

from floe_guard import BudgetGuard
from floe_guard.store import SqliteStore

from tests.harness.postgres_server import binaries, running_server
from thrifty.budget import Budget, Spend
from thrifty.ledger.base_ledger import BaseLedger
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.sqlite import SqliteLedger

ANSWER = "an answer of some length " * 40
MODEL = "gpt-4o"
CALLERS = {0: "the main thread", 1: "one caller", 8: "8 callers in one process"}
SEED = 4
WARM_UP = 300
"""Pairs before the clock starts: a ledger lives for months, and its file is new for a moment."""


@dataclass(frozen=True, slots=True)
class LedgerCall:
    """A call as its caller knows it: planned and priced before the ledger is asked."""

    key: str
    prompt_tokens: int
    answer_tokens: int
    worst_case: Spend
    actual: Spend


ReserveAndSettle = Callable[[LedgerCall], object]
"""Reserves and settles one call."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that holds a budget, made anew for each round."""

    name: str
    make: Callable[[Path], ReserveAndSettle]


def reserve_on_thrifty(ledger: BaseLedger) -> ReserveAndSettle:
    ledger.open("run", Budget(10**14, 900_000, None, 10**9))

    def act(call: LedgerCall) -> object:
        ledger.reserve("run", call.key, "Outline", call.worst_case)
        return ledger.settle("run", call.key, call.actual, ANSWER)

    return act


def reserve_on_floe_model_guard(_: Path) -> ReserveAndSettle:
    guard = BudgetGuard(900_000, token_limit=10**14)

    def act(call: LedgerCall) -> object:
        held = guard.reserve(0.015, estimated_tokens=call.prompt_tokens + 1000)
        return guard.settle(
            MODEL, call.prompt_tokens, call.answer_tokens, reserved=held, label=call.key
        )

    return act


def reserve_on_floe_tool_guard(guard: BudgetGuard) -> ReserveAndSettle:
    def act(call: LedgerCall) -> object:
        held = guard.reserve_tool(0.015)
        return guard.settle_tool("tool", 0.005, reserved=held, label=call.key)

    return act


class FloeStorage(SqliteStore):
    """floe-guard's own store, told how hard to flush."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.synchronous = synchronous
        super().__init__(path)

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        return connection


def reserve_on_floe_file(folder: Path, synchronous: str) -> ReserveAndSettle:
    store = FloeStorage(folder / "floe.sqlite", synchronous)
    return reserve_on_floe_tool_guard(BudgetGuard(900_000, window="utc-day", store=store))


IN_MEMORY = [
    Contender(
        "**thrifty** (tokens, money, calls; keyed)", lambda _: reserve_on_thrifty(MemoryLedger())
    ),
    Contender("floe-guard (tokens, money)", reserve_on_floe_model_guard),
    Contender(
        "floe-guard (money alone)", lambda _: reserve_on_floe_tool_guard(BudgetGuard(900_000))
    ),
]
DURABILITIES = {
    "FULL": (2, "each commit is flushed before the call returns: it survives a power failure"),
    "NORMAL": (1, "each commit survives a killed process, the last ones no power failure"),
}
"""SQLite's number for each, and what it means with a write-ahead log."""


def file_contenders(synchronous: str) -> list[Contender]:
    """Both in a file of their own, equally durable."""
    return [
        Contender(
            "**thrifty** (tokens, money, calls; keyed, with answers)",
            lambda folder: reserve_on_thrifty(
                SqliteLedger(folder / "thrifty.sqlite", synchronous=synchronous)
            ),
        ),
        Contender(
            "floe-guard (money alone)", lambda folder: reserve_on_floe_file(folder, synchronous)
        ),
    ]


def random_call(key: str, rng: random.Random) -> LedgerCall:
    prompt, answer = rng.randrange(200, 800), rng.randrange(50, 900)
    worst_case = Spend(prompt + 1000, 15_000_000, 0, 1)
    actual = Spend(prompt + answer, prompt * 2_500 + answer * 10_000, 800, 1)
    return LedgerCall(key, prompt, answer, worst_case, actual)


def calls_per_second(contender: Contender, calls: int, callers: int, seed: int) -> float:
    """Microseconds for one reserve + settle, as `callers` threads see their throughput.

    Without any, it is the main thread, in which a signal may come at any moment.
    """
    rng = random.Random(seed)
    work = [random_call(f"run/1/option {i}.1", rng) for i in range(calls)]
    with tempfile.TemporaryDirectory() as folder:
        act = contender.make(Path(folder))
        for i in range(WARM_UP):
            act(random_call(f"run/0/warm up {i}", rng))

        def act_all(some: list[LedgerCall]) -> None:
            for call in some:
                act(call)

        with ThreadPoolExecutor(max(1, callers)) as pool:
            list(pool.map(act_all, [[]] * callers))  # the threads are there then
            began = time.perf_counter()
            if callers:
                list(pool.map(act_all, [work[caller::callers] for caller in range(callers)]))
            else:
                act_all(work)
            return (time.perf_counter() - began) / calls * 1e6


def contender_table(
    title: str, contenders: list[Contender], calls: int, callers: int, rounds: int
) -> str:
    """A Markdown table; the ratios are against the first contender."""
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for turn in range(rounds):
        for contender in contenders:
            times[contender.name].append(calls_per_second(contender, calls, callers, SEED + turn))
    ours = statistics.median(times[contenders[0].name])
    lines = [f"### {title}", "", "| | µs a pair | pairs/s | thrifty is |", "|---|---:|---:|---:|"]
    for name, measured in times.items():
        median = statistics.median(measured)
        ratio = "" if name == contenders[0].name else f"{median / ours:.1f}x as fast"
        lines.append(f"| {name} | {median:,.1f} | {1e6 / median:,.0f} | {ratio} |")
    return "\n".join(lines)


def flush_us(turns: int = 200) -> float:
    """What this disk takes for one flush, the price of durability."""
    with tempfile.NamedTemporaryFile() as file:
        connection = sqlite3.connect(file.name, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (n INTEGER)")
        took = []
        for turn in range(turns):
            began = time.perf_counter()
            connection.execute("INSERT INTO t VALUES (?)", (turn,))
            took.append(time.perf_counter() - began)
        connection.close()
    return statistics.median(took) * 1e6


def check_durability(synchronous: str) -> str:
    """Both write ahead and flush alike, or the comparison is none.

    Raises:
        AssertionError: they do not.
    """
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqliteLedger(Path(folder) / "thrifty.sqlite", synchronous=synchronous)
        reserve_on_thrifty(ledger)
        connection = ledger._sqlite_storage._file._connection
        assert connection is not None
        floe = FloeStorage(Path(folder) / "floe.sqlite", synchronous)._connect()
        number, meaning = DURABILITIES[synchronous]
        for each in (connection, floe):
            assert each.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert each.execute("PRAGMA synchronous").fetchone() == (number,)
        floe.close()
        ledger.disconnect()
    return f"WAL, synchronous={synchronous} ({meaning}), checked on both"


Storage = Literal["memory", "sqlite", "postgres"]
ROOT = Path(__file__).parents[1]
ROUND = ROOT / "benchmarks" / "ledger_round.py"
schemas = count(1)


@dataclass(frozen=True, slots=True)
class Case:
    """What both versions are asked for."""

    storage: Storage
    synchronous: str = ""
    depth: int = 1
    callers: int = 1
    runs: int = 1
    pairs: int = 1_000

    @property
    def name(self) -> str:
        where = {
            "memory": "memory",
            "sqlite": f"SQLite, {self.synchronous}",
            "postgres": "PostgreSQL",
        }[self.storage]
        return f"{where}, {self.runs:,} runs under one account" if self.runs > 1 else where


def version_cases() -> Iterator[Case]:
    """Depths and callers for each storage, and many runs that share an account."""
    for depth in (1, 2, 3):
        yield Case("memory", depth=depth, pairs=3_000)
    for synchronous, depth, callers in product(DURABILITIES, (1, 2, 3), (0, 1, 8, 32)):
        yield Case("sqlite", synchronous, depth, callers)
    for depth, callers in product((1, 2, 3), (1, 8, 32)):
        yield Case("postgres", "", depth, callers)
    for callers in (8, 32):
        yield Case("postgres", "", 2, callers, runs=1_000, pairs=2_000)


@contextmanager
def new_place(storage: Storage, conninfo: str) -> Iterator[str]:
    """A file or a schema that nobody has used."""
    if storage != "postgres":
        with tempfile.TemporaryDirectory() as folder:
            yield str(Path(folder) / "ledger.sqlite")
        return
    import psycopg

    schema = f"round_{next(schemas)}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{conninfo} options='-c search_path={schema}'"
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


def round_us(checkout: Path, case: Case, turn: int, conninfo: str) -> float:
    """Microseconds for one pair of a version, in a process of its own."""
    numbers = {"depth": case.depth, "runs": case.runs, "pairs": case.pairs}
    numbers |= {"callers": case.callers, "turn": turn}
    with new_place(case.storage, conninfo) as place:
        command = [sys.executable, "-P", str(ROUND), case.storage, case.synchronous, place]
        command += [part for name, value in numbers.items() for part in (f"--{name}", str(value))]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        ended = subprocess.run(
            command, env=environment, cwd=checkout, check=True, capture_output=True, text=True
        )
    return float(ended.stdout)


def print_versions(before: Path, storages: list[Storage], rounds: int, conninfo: str) -> None:
    """A Markdown table of this version beside another one."""
    print("### Beside the version before\n")
    print("| where | depth | callers | before, µs a pair | now, µs a pair | pairs/s | now is |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for case in version_cases():
        if case.storage not in storages:
            continue
        times: dict[Path, list[float]] = {before: [], ROOT: []}
        for turn in range(rounds):
            for checkout, measured in times.items():
                measured.append(round_us(checkout, case, turn, conninfo))
        was, now = (statistics.median(measured) for measured in times.values())
        callers = case.callers or "the main thread"
        row = f"{case.depth} | {callers} | {was:,.1f} | {now:,.1f} | {1e6 / now:,.0f}"
        print(f"| {case.name} | {row} | {was / now:.1f}x as fast |", flush=True)


def compare_versions(before: Path, storages: list[Storage], rounds: int) -> None:
    programs = binaries()
    if "postgres" not in storages or programs is None:
        print_versions(before, [each for each in storages if each != "postgres"], rounds, "")
        return
    with running_server(programs) as server:
        print_versions(before, storages, rounds, server.conninfo)


def compare_with_floe(rounds: int) -> None:
    print(contender_table("In memory, one caller", IN_MEMORY, 3_000, 1, rounds), "\n")
    for synchronous in DURABILITIES:
        print(f"Durability of what follows: {check_durability(synchronous)}.\n")
        contenders = file_contenders(synchronous)
        for callers, title in CALLERS.items():
            where = f"In SQLite, synchronous={synchronous}, {title}"
            print(contender_table(where, contenders, 1_000, callers, rounds), "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--before", type=Path, help="a checkout of the version to compare with")
    parser.add_argument("--version-rounds", type=int, default=5)
    storages: list[Storage] = ["memory", "sqlite", "postgres"]
    parser.add_argument("--storages", nargs="*", choices=storages, default=storages)
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, floe-guard "
        f"{version('floe-guard')}, {platform.machine()}; seed {SEED}, median of {options.rounds} "
        f"alternating rounds, of {options.version_rounds} beside the version before. "
        f"One SQLite commit on this disk: {flush_us():,.0f} µs.\n"
    )
    if options.rounds:
        compare_with_floe(options.rounds)
    if options.before:
        before = options.before.resolve()
        compare_versions(before, options.storages, options.version_rounds)


if __name__ == "__main__":
    main()
