"""Times and values of every planner against HiGHS, CP-SAT and SCIP, as a Markdown table.

    python -m benchmarks.planning [--quick] [--only 1,000]

All planners get the same `Problem` and one thread; building the model is included, loading a
solver is not. Time is the processor's, so that what else the machine does counts less; so is the
limit of ours, the others go by the clock. Problems are seeded; the risk margin is off, since
CP-SAT has no cone.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from statistics import median
from time import process_time_ns

from benchmarks.planning_solvers import solve_by_cp_sat, solve_by_highs, solve_by_scip
from benchmarks.planning_time import time_fastest
from tests.planning.families import tutorial_like
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem

LIMIT_S = 10.0
RUNS = 5
ONCE_S = 0.5
"""What takes longer than this is run once."""
GENERAL_SOLVERS = ("HiGHS", "CP-SAT")
Planner = Callable[[Problem], tuple[float, float]]
"""From a problem to the value of its plan and the bound."""


@dataclass(frozen=True)
class Family:
    name: str
    problems: tuple[Problem, ...]
    skip: tuple[str, ...] = ()


def families(quick: bool) -> Iterator[Family]:
    def family(name: str, count: int, *skip: str, **given: object) -> Family:
        count = 2 if quick else count
        made = (tutorial_like(Random(seed), risk=0.5, **given) for seed in range(count))
        return Family(name, tuple(made), skip)

    yield family("14 options, 6 steps", 20, steps=7)
    yield family("60 options, 6 steps", 20, steps=30)
    yield family("60, 6 steps, correlated", 20, steps=30, correlated=True)
    yield family("60, no limit", 10, steps=30, max_steps=None)
    yield family("60, the tutorial's budget, no limit", 20, steps=30, limitless=True)
    yield family("200, 6 steps", 10, steps=100)
    yield family("200, no limit", 6, steps=100, max_steps=None)
    yield family("200, the tutorial's budget, no limit", 6, steps=100, limitless=True)
    yield family("200, no limit, dense", 6, steps=100, max_steps=None, arcs=3)
    yield family("1,000, 6 steps", 5, "beam", steps=500)
    yield family("1,000, 6 steps, correlated", 5, "beam", steps=500, correlated=True)
    yield family("1,000, the tutorial's budget, no limit", 3, "beam", steps=500, limitless=True)
    yield family("1,000, no limit, dense", 3, "beam", steps=500, max_steps=None, arcs=3)


def thrifty_planner(engine: str) -> Planner:
    def plan(problem: Problem) -> tuple[float, float]:
        limit_ms = round(LIMIT_S * 1000)
        made = make_plan(problem, engine, deadline_ms=limit_ms, clock_ns=process_time_ns)
        return made.value, made.bound

    return plan


PLANNERS: dict[str, Planner] = {
    "auto": thrifty_planner("auto"),
    "beam": thrifty_planner("beam"),
    "HiGHS": lambda problem: solve_by_highs(problem, LIMIT_S),
    "CP-SAT": lambda problem: solve_by_cp_sat(problem, LIMIT_S),
    "SCIP": lambda problem: solve_by_scip(problem, LIMIT_S),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two problems a family")
    parser.add_argument("--only", default="", help="families with this in their name")
    given = parser.parse_args()
    for plan in PLANNERS.values():
        plan(tutorial_like(Random(0), 5, risk=0.5))  # loads the solver
    print(
        "| family | "
        + " | ".join(f"{name} ms (value)" for name in PLANNERS)
        + " | auto gap | "
        + " | ".join(f"{name} : auto" for name in GENERAL_SOLVERS)
        + " |"
    )
    print("|---|" + "---|" * (len(PLANNERS) + 1 + len(GENERAL_SOLVERS)))
    for family in families(given.quick):
        if given.only in family.name:
            print(family_row(family), flush=True)


def family_row(family: Family) -> str:
    planners = {name: plan for name, plan in PLANNERS.items() if name not in family.skip}
    times: dict[str, list[float]] = {name: [] for name in planners}
    values: dict[str, list[float]] = {name: [] for name in planners}
    gap = 0.0
    for problem in family.problems:
        for name, plan in planners.items():  # in turn: a busy moment of the machine hits them all
            (value, bound), taken_s = time_fastest(partial(plan, problem), RUNS, ONCE_S)
            times[name].append(1000 * taken_s)
            values[name].append(value)
            if name == "auto":
                gap = max(gap, (bound - value) / bound if bound else 0.0)
    best = [max(found) for found in zip(*values.values(), strict=True)]
    middle = {name: median(taken) for name, taken in times.items()}
    cells = [
        f"{middle[name]:,.1f} ({value_share(values[name], best):.2%})" if name in middle else "-"
        for name in PLANNERS
    ]
    ratios = [f"{middle[name] / middle['auto']:.1f}" for name in GENERAL_SOLVERS]
    return f"| {family.name} | " + " | ".join([*cells, f"{gap:.3%}", *ratios]) + " |"


def value_share(values: list[float], best: list[float]) -> float:
    return sum(values) / sum(best) if sum(best) else 1.0


if __name__ == "__main__":
    main()
