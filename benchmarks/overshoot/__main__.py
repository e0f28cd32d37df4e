"""Holds thrifty and its peers to a budget before one meter, and prints the tables.

    python -m benchmarks.overshoot --peers-venv /tmp/peers     # a quarter of an hour
    python -m benchmarks.overshoot --peers-venv /tmp/peers --quick
    python -m benchmarks.overshoot --vendors                   # thrifty alone, a row a vendor

What it measures, and what the columns mean, is in benchmarks/overshoot.md.
"""

import argparse
import platform
import subprocess
import sys
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.overshoot.cell_figures import CellFigures, summarize
from benchmarks.overshoot.experiment import run_many, start_system
from benchmarks.overshoot.report import cell_title, kind_title, results_table, sweep_table
from benchmarks.overshoot.vendors import vendor_cells
from benchmarks.overshoot.workload import SEED, Cell

REQUIREMENTS = Path(__file__).parents[1] / "overshoot-requirements.txt"
OURS = {"**thrifty**": "thrifty_metered", "thrifty, impatient": "thrifty_without_waiting"}
PEERS = {
    "pydantic-ai `cost_limit`": "pydantic_ai_limit",
    "pydantic-ai-harness `SpendLimits`": "pydantic_ai_harness_spend",
    "agentbudget": "agentbudget_session",
    "shekel": "shekel_budget",
    "floe-guard check/record": "floe_check",
    "floe-guard reserve/settle": "floe_reserve",
    "floe-guard `StreamGuard`": "floe_stream",
}
CELL_KINDS = [(callers, max_tokens) for callers in (1, 8) for max_tokens in (None, 1_000)]
BUDGETS = {"0.02": 0.5, "0.05": 1.0, "0.20": 0.1}
"""In dollars, and what share of the runs is done with each: the others show a tendency."""
DETAILED_BUDGET = "0.05"
USEFUL_TOKENS = (16, 50, 100, 200, 400)
CONCURRENT_RUNS = 4
"""Systems measured side by side: most of a run is waiting for answers."""


def peers_python(folder: Path) -> Path:
    """The interpreter of the peers' environment, which is made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement"]
        subprocess.run([*install, str(REQUIREMENTS)], check=True)
    return python


def measure_cells(
    python: Path, module: str, cells: Sequence[Cell], count: int
) -> dict[Cell, CellFigures]:
    """The figures of one system in all cells."""
    with start_system(python, module) as system:
        return {
            cell: summarize(
                run_many(system, cell, max(2, round(count * BUDGETS.get(cell.cap_usd, 1))))
            )
            for cell in cells
        }


def print_vendors(count: int) -> None:
    """thrifty alone, a row for each vendor."""
    with ThreadPoolExecutor(CONCURRENT_RUNS) as pool:
        for callers in (1, 8):
            cells = list(vendor_cells(callers))
            given = Path(sys.executable), "thrifty_vendors"
            work = [pool.submit(measure_cells, *given, [cell], count) for cell in cells]
            rows = {
                f"{cell.vendor}, ${cell.cap_usd}": found.result()[cell]
                for cell, found in zip(cells, work, strict=True)
            }
            print(f"### {kind_title(cells[0])}\n\n{results_table(rows, 'vendor, budget')}\n")


def main() -> None:
    options = read_arguments()
    count = 20 if options.quick else options.runs
    if options.vendors:
        print(f"Python {platform.python_version()}, seed {SEED}, {count} runs a row.\n")
        print_vendors(count)
        return
    budgets = [DETAILED_BUDGET] if options.quick else list(BUDGETS)
    cells = [Cell(budget, *kind) for kind in CELL_KINDS for budget in budgets]
    minima = [Cell(DETAILED_BUDGET, *CELL_KINDS[0], useful) for useful in USEFUL_TOKENS]
    systems = OURS | PEERS
    python_of = dict.fromkeys(OURS.values(), Path(sys.executable))
    python_of |= dict.fromkeys(PEERS.values(), peers_python(options.peers_venv))

    with ThreadPoolExecutor(CONCURRENT_RUNS) as pool:
        work = {
            name: pool.submit(measure_cells, python_of[module], module, cells, count)
            for name, module in reversed(systems.items())  # streams take longest
        }
        ours = next(iter(OURS.values()))
        useful = pool.submit(measure_cells, python_of[ours], ours, minima, count)
    results = {cell: {name: work[name].result()[cell] for name in systems} for cell in cells}

    print(f"\nPython {platform.python_version()}, seed {SEED}, {count} runs a cell.\n")
    for kind in CELL_KINDS:
        cell = Cell(DETAILED_BUDGET, *kind)
        print(f"### {cell_title(cell)}\n\n{results_table(results[cell])}\n")
    if not options.quick:
        print("### Budgets of few and of many calls\n\nRuns over, mean and worst.\n")
        for kind in CELL_KINDS:
            swept = [Cell(budget, *kind) for budget in BUDGETS]
            print(f"{kind_title(swept[0])}:\n\n{sweep_table(swept, results)}\n")
    print(f"### The shortest useful answer: {cell_title(minima[0])}\n")
    by_minimum = {f"{cell.useful_tokens} tokens": useful.result()[cell] for cell in minima}
    print(results_table(by_minimum, "thrifty, useful from"))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--peers-venv", type=Path, help="made if it is not there")
    which.add_argument("--vendors", action="store_true", help="thrifty alone, at every vendor")
    parser.add_argument("--runs", type=int, default=200, help="runs a cell")
    parser.add_argument("--quick", action="store_true", help="20 runs, and no sweep over budgets")
    return parser.parse_args()


if __name__ == "__main__":
    main()
