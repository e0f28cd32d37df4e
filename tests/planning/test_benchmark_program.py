"""What the benchmark asks of other solvers is the problem that ours solve."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from benchmarks.planning_solvers import Program, program, solve_by_cp_sat, solve_by_scip
from tests.planning.instances import small_problem
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem

SOLVERS = [("ortools", solve_by_cp_sat), ("pyscipopt", solve_by_scip)]


def problems(count: int) -> Iterator[Problem]:
    """Without margins and schedules, which other solvers are not asked to know."""
    for seed in range(count):
        problem = small_problem(Random(seed), steps_max=4)
        yield replace(problem, risk=0.5, concurrency=1)


def best_value(linear: Program, chosen: set[int]) -> int | None:
    """The most that some columns are worth with the entries they need; None where a condition
    does not hold."""
    items = len(linear.items)
    columns = dict.fromkeys(chosen, 1)
    for factors, upper, _ in linear.conditions:
        entries = [column for column in factors if column >= items]
        over = sum(columns.get(column, 0) for column in factors if column < items) - 1
        if entries and over > 0:
            assert upper == 1
            columns |= dict.fromkeys(entries[:over], 1)
    for factors, upper, lower in linear.conditions:
        if not lower <= sum(f * columns.get(column, 0) for column, f in factors.items()) <= upper:
            return None
    return sum(linear.values[column] for column in columns)


def sets_of(model: KnapsackModel) -> Iterator[tuple[set[int], list[KnapsackItem]]]:
    """All sets of a few items, those with several of one step among them."""
    items = [item for group in model.items for item in group]
    for size in range(min(len(items), 5) + 1):
        for columns in combinations(range(len(items)), size):
            yield set(columns), [items[column] for column in columns]


def test_its_conditions_hold_for_plans_and_for_nothing_else():
    plans = denied = required = 0
    for problem in problems(500):
        model = build_knapsack(problem)
        if model.impossible:
            continue
        linear = program(model)
        required += any(model.is_required)
        for columns, chosen in sets_of(model):
            if model.is_plan(chosen):
                assert best_value(linear, columns) == model.plan_value(chosen)
                plans += 1
            else:
                assert best_value(linear, columns) is None
                denied += 1
    assert min(plans, denied) > 1_000
    assert required > 15


@pytest.mark.parametrize(("module", "solve"), SOLVERS)
def test_another_solver_finds_a_plan_of_the_same_value(module, solve):
    pytest.importorskip(module)
    required = 0
    for problem in problems(200):
        plan = make_plan(problem, "exact")
        if plan.status == "optimal":
            value, bound = solve(problem, 10.0)
            assert value == bound == pytest.approx(plan.value)
            required += any(step.required for step in problem.steps)
    assert required > 20
