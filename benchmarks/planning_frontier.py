"""How long fifty exact points of the frontier take, and replanning beside planning.

python -m benchmarks.planning_frontier
"""

from dataclasses import replace
from random import Random
from statistics import median
from time import process_time

from benchmarks.planning_time import time_fastest
from tests.planning.families import tutorial_like
from thrifty.budget import Plan
from thrifty.planning.engines import make_plan
from thrifty.planning.frontier import frontier
from thrifty.planning.problem import Problem

RUNS = 9


def main() -> None:
    print("| options | 50 points, s | plan, ms | replan after one step, ms |")
    print("|---|---|---|---|")
    for steps in (7, 30, 100):
        rows = []
        for seed in range(10):
            problem = tutorial_like(Random(seed), steps)
            start = process_time()
            points = frontier(problem)
            along = process_time() - start
            assert all(point.status == "optimal" for point in points)
            plan, planning = _time_plan(problem)
            first = plan.chosen[0]
            done = tuple(step for step in problem.steps if step.name == first.step)
            later = replace(problem, done=done, spent=first.estimate, max_steps=5)
            rows.append((along, planning, _time_plan(later)[1]))
        along, planning, replanning = (median(column) for column in zip(*rows, strict=True))
        print(f"| {2 * steps} | {along:.2f} | {planning * 1e3:.1f} | {replanning * 1e3:.1f} |")


def _time_plan(problem: Problem) -> tuple[Plan, float]:
    return time_fastest(lambda: make_plan(problem), RUNS)


if __name__ == "__main__":
    main()
