"""A sample of the steps is a problem of its own, and leads to what the whole problem would."""

from random import Random

import pytest

from tests.planning.families import tutorial_like
from tests.planning.instances import small_problem
from thrifty.planning.solver import exact
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.column_sample import sample_steps
from thrifty.planning.solver.core import whole_core
from thrifty.planning.solver.greedy import plan_by_density
from thrifty.planning.solver.packed_rows import PackedRows
from thrifty.planning.solver.relaxation import Relaxation
from thrifty.planning.solver.subgradient import initial_prices


def test_a_promising_part_has_what_is_needed_and_what_its_steps_require():
    for seed in range(500):
        model = build_knapsack(small_problem(Random(seed), steps_max=8))
        if not model.items:
            continue
        rows = PackedRows(model)
        relaxation = Relaxation(model, whole_core(model, rows), rows)
        plan = [branch.item for branch in plan_by_density(relaxation)]
        at = relaxation.solve(initial_prices(relaxation, plan))
        part = sample_steps(relaxation, at, 1)
        steps = {position.step for position in part}
        assert set(part) <= set(relaxation.core)
        assert all(steps >= set(model.requires[step]) for step in steps)
        assert steps >= {step for step, needed in enumerate(model.is_required) if needed}
        assert steps >= {relaxation.core[place].step for place in at.chosen_places}


@pytest.mark.parametrize("spare", [0, 20])
def test_sampling_finds_the_best_plan_whatever_is_promising(spare, monkeypatch):
    for seed in range(12):
        problem = tutorial_like(Random(seed), 80, correlated=seed % 2 == 0)
        model = build_knapsack(problem)
        monkeypatch.setattr(exact, "ITEMS_LARGE", 10_000)
        found = exact.solve_exactly(model)
        monkeypatch.setattr(exact, "ITEMS_LARGE", 0)
        monkeypatch.setattr(exact, "SAMPLE_EFFORT", (spare, 4, 50))
        sampled = exact.solve_exactly(model)
        assert found.is_proven
        assert sampled.is_proven
        assert {item.name for item in sampled.items} == {item.name for item in found.items}


def test_sampling_is_for_plans_that_their_steps_limit(monkeypatch):
    looked_at = []
    monkeypatch.setattr(
        exact, "sample_steps", lambda *given: looked_at.append(given) or sample_steps(*given)
    )
    for given in ({}, {"limitless": True}):
        exact.solve_exactly(build_knapsack(tutorial_like(Random(0), 100, **given)))
    assert len(looked_at) == 1
