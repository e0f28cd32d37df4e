"""What must be chosen takes its least before anything else does, and nothing is lost by it."""

from dataclasses import replace
from random import Random

import pytest

from tests.planning.brute import brute_force
from tests.planning.families import many_ways
from tests.planning.instances import small_problem
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.core import beside_needed, whole_core
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.packed_rows import PackedRows


def with_required(random: Random, steps_max: int = 5) -> Problem:
    """A small problem with about half of its steps required, side by side or not."""
    problem = small_problem(random, steps_max=steps_max)
    steps = tuple(replace(step, required=random.random() < 0.5) for step in problem.steps)
    return replace(problem, steps=steps, max_steps=len(steps) + 1)


def test_rooms_are_what_the_least_of_every_required_step_leaves():
    none_fits = fits = 0
    for seed in range(1_000):
        model = build_knapsack(with_required(Random(seed)))
        if model.impossible or not model.items:
            continue
        rows = PackedRows(model)
        core = whole_core(model, rows)
        needed = [position for position in core if position.needed]
        least = [
            sum(min(branch.item.amounts[row] for branch in position.items) for position in needed)
            for row in range(len(model.row_names))
        ]
        beside = beside_needed(rows, core)
        if any(used > capacity for used, capacity in zip(least, model.capacities, strict=True)):
            assert beside is None
            none_fits += 1
            continue
        assert beside
        left = [capacity - used for capacity, used in zip(model.capacities, least, strict=True)]
        assert beside.rooms == rows.guard_bits + rows.pack(left)
        for before, after in zip(core, beside.core, strict=True):
            for one, other in zip(before.items, after.items, strict=True):
                assert 0 <= other.packed_amounts <= one.packed_amounts
                assert before.needed or other == one
        fits += 1
    assert min(none_fits, fits) > 10


@pytest.mark.parametrize("last", [False, True])
def test_equals_brute_force_with_many_required_steps(last, monkeypatch):
    """Also where every place of a walk has the bound of the last ones."""
    if last:
        monkeypatch.setattr("thrifty.planning.solver.walk.FEW", 0)
        monkeypatch.setattr("thrifty.planning.solver.walk.LAST", (100, 1, 100))
    plans = 0
    for seed in range(600):
        problem = with_required(Random(seed), steps_max=6)
        plan, best = make_plan(problem, "exact"), brute_force(problem)
        if best is None:
            assert plan.status == "infeasible"
        else:
            assert plan.status == "optimal"
            assert {option.name for option in plan.chosen} == best[1]
            plans += 1
    assert plans > 200


def test_required_steps_that_do_not_fit_are_refused_without_a_search():
    for seed in range(20):
        problem = many_ways(Random(seed), 20, 3, is_concave=True, share=0.2, required=True)
        found = solve_exactly(build_knapsack(problem))
        assert found.is_proven
        assert not found.is_plan
        assert found.nodes == 0
