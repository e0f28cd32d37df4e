"""Whether `auto` is as quick and as good as the better of the two engines that it joins.

    python -m benchmarks.planning_auto [--problems 5] [--only 200] [--risk 0.3]

For each family: the median milliseconds of the processor, and how far `auto` passed 1.3 times the
quicker engine's time and 20 ms: in the medians, and on the worst problem. Only engines that ended
by themselves are quicker; values are compared at the same limit. Then what the goal is about: how
many plans `exact` proved by itself and `auto` proved, and the widest gap that `auto` ended with.
The limit counts the processor's time for `auto` and `exact`, HiGHS counts its own. Seeds are not
those of `benchmarks.planning`.
"""

import argparse
from collections.abc import Iterator
from random import Random
from statistics import median
from time import process_time_ns
from typing import NamedTuple

from benchmarks.planning_time import time_fastest
from tests.planning.families import tutorial_like
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem

LIMIT_S = 2.0
FIRST_SEED = 5_000
FACTOR, GRACE_MS = 1.3, 20.0
RUNS, ONCE_S = 3, 0.3
"""The fastest of so many runs counts, but what takes longer is run once."""
ENGINES = ("auto", "exact", "milp")


class EngineRun(NamedTuple):
    """How an engine did on a problem."""

    ms: float
    value: float
    has_finished: bool
    """Whether it ended by itself, as near its bound as it was to come."""
    gap: float = 0.0
    """Of the plan, as a share of its bound."""


def families() -> Iterator[tuple[str, dict[str, object]]]:
    """Names, and what `tutorial_like` is given."""
    for steps in (7, 30, 100, 500):
        free: dict[str, object] = {"max_steps": None}
        for words, given in (
            ("6 steps", {}),
            ("6 steps, correlated", {"correlated": True}),
            ("no limit", free),
            ("no limit, correlated", {**free, "correlated": True}),
            ("no limit, dense", {**free, "arcs": 3}),
            ("the tutorial's budget", {"limitless": True}),
        ):
            yield f"{2 * steps:,}, {words}", {"steps": steps, **given}


def run_engine(engine: str, problem: Problem, limit_s: float = LIMIT_S) -> EngineRun:
    limit_ms = round(limit_s * 1000)
    plan, taken_s = time_fastest(
        lambda: make_plan(problem, engine, deadline_ms=limit_ms, clock_ns=process_time_ns),
        RUNS,
        ONCE_S,
    )
    return EngineRun(1000 * taken_s, plan.value, plan.status != "feasible", plan.gap)


def excess_ms(auto: float, others: list[EngineRun], times: list[float]) -> float:
    """By how much a time passes what it may be; minus infinity when nobody else was through."""
    through = [ms for other, ms in zip(others, times, strict=True) if other.has_finished]
    return auto - FACTOR * min(through) - GRACE_MS if through else float("-inf")


def family_row(name: str, problems: list[Problem]) -> str:
    table = [[run_engine(engine, problem) for engine in ENGINES] for problem in problems]
    middle = [median([runs[i].ms for runs in table]) for i in range(len(ENGINES))]
    # In the medians, an engine that was mostly stopped was not the quicker one.
    most = [
        sum(runs[i].has_finished for runs in table) > len(table) / 2 for i in range(len(ENGINES))
    ]
    others = [EngineRun(ms, 0.0, is_over) for ms, is_over in zip(middle[1:], most[1:], strict=True)]
    passed = excess_ms(middle[0], others, middle[1:])
    worst = max(excess_ms(auto.ms, rest, [r.ms for r in rest]) for auto, *rest in table)
    short = max(1 - auto.value / max(r.value for r in (auto, *rest)) for auto, *rest in table)
    cells = [f"{ms:,.1f}" for ms in middle]
    proven = [sum(runs[i].has_finished for runs in table) for i in (1, 0)]
    gap = max(auto.gap for auto, *_ in table)
    cells += [f"{passed:+,.0f}", f"{worst:+,.0f}", f"{short:.3%}", *map(str, proven), f"{gap:.3%}"]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=5, help="problems a family")
    parser.add_argument("--only", default="", help="families with this in their name")
    parser.add_argument("--risk", type=float, default=0.5, help="of each problem; 0.5: no margin")
    given = parser.parse_args()
    make_plan(tutorial_like(Random(0), 5), "milp")  # loads the solver
    print(
        "| family | auto ms | exact ms | milp ms | passed, ms | worst, ms | value short "
        "| proven by exact | by auto | widest gap |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, options in families():
        if given.only in name:
            seeds = range(FIRST_SEED, FIRST_SEED + given.problems)
            made = [tutorial_like(Random(s), risk=given.risk, **options) for s in seeds]  # type: ignore[arg-type]
            print(family_row(name, made), flush=True)


if __name__ == "__main__":
    main()
