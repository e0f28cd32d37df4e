"""How `auto` stands against HiGHS where each of a few steps can be done in 3 to 5 ways.

    python -m benchmarks.planning_ways [--problems 15] [--noise 0.1] [--risk 0.5]

Medians of the processor's milliseconds a problem, the fastest of three runs, building the model
included. A cell: `auto`, HiGHS, how many times as long HiGHS takes, and on how many problems it is
the quicker one. Four limits, which are a share of what the dearest way of every step takes. Both
engines must prove the same value, or there is no table.
"""

import argparse
from collections.abc import Iterator
from random import Random
from statistics import median

from benchmarks.planning_auto import EngineRun, run_engine
from tests.planning.families import many_ways, tutorial_like
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem

FIRST_SEED = 8_000
LIMIT_S = 60.0
"""HiGHS goes by the clock, which runs on while other programs have the processor."""
SIZES = ((4, 4), (6, 5), (12, 5), (20, 3), (15, 4))
"""Steps, and ways a step."""
SHARES = {"tight": 0.4, "loose": 0.7}


def columns() -> Iterator[tuple[str, dict[str, object]]]:
    """Names, and what `many_ways` is given."""
    for shape, is_concave in (("concave", True), ("convex", False)):
        for budget, share in SHARES.items():
            yield f"{shape}, {budget}", {"is_concave": is_concave, "share": share}


def cell(problems: list[Problem]) -> str:
    pairs = [
        (run_engine("auto", problem, LIMIT_S), run_engine("milp", problem, LIMIT_S))
        for problem in problems
    ]
    for auto, highs in pairs:
        assert auto.has_finished
        assert highs.has_finished
        assert abs(auto.value - highs.value) < 1e-9
    ours, theirs = (median(each.ms for each in runs) for runs in zip(*pairs, strict=True))
    lost = sum(is_slower(*pair) for pair in pairs)
    return f"{ours:.1f}, {theirs:.1f}: **{theirs / ours:.1f}**, {lost}"


def is_slower(auto: EngineRun, highs: EngineRun) -> bool:
    return auto.ms > highs.ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=15, help="problems a cell")
    parser.add_argument("--noise", type=float, default=0.1, help="as of `many_ways`")
    parser.add_argument("--risk", type=float, default=0.5, help="of each problem; 0.5: no margin")
    given = parser.parse_args()
    make_plan(tutorial_like(Random(0), 5), "milp")  # loads the solver
    print("| steps, ways | " + " | ".join(name for name, _ in columns()) + " |")
    print("|---|---|---|---|---|")
    for required in (False, True):
        for steps, ways in SIZES:
            cells = []
            for _, options in columns():
                seeds = range(FIRST_SEED, FIRST_SEED + given.problems)
                made = [
                    many_ways(
                        Random(seed),
                        *(steps, ways),
                        noise=given.noise,
                        required=required,
                        risk=given.risk,
                        **options,  # type: ignore[arg-type]
                    )
                    for seed in seeds
                ]
                cells.append(cell(made))
            words = ", all required" if required else ""
            print(f"| {steps}, {ways}{words} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
