"""What is promising is a problem of its own, and sifting finds what the whole problem would."""

from random import Random

import pytest

from tests.planning.families import tutorial_like
from tests.planning.instances import small_problem
from thrifty.planning import exact
from thrifty.planning.compiling import build_model
from thrifty.planning.core import whole
from thrifty.planning.descent import first_prices
from thrifty.planning.greedy import by_density
from thrifty.planning.relaxation import Relaxation
from thrifty.planning.rows import Rows
from thrifty.planning.sifting import promising


def test_a_promising_part_has_what_is_needed_and_what_its_steps_require():
    for seed in range(500):
        model = build_model(small_problem(Random(seed), steps_max=8))
        if not model.items:
            continue
        rows = Rows(model)
        relaxation = Relaxation(model, whole(model, rows), rows)
        plan = [branch.item for branch in by_density(relaxation)]
        at = relaxation.solve(first_prices(relaxation, plan))
        part = promising(relaxation, at, 1)
        steps = {position.step for position in part}
        assert set(part) <= set(relaxation.core)
        assert all(steps >= set(model.requires[step]) for step in steps)
        assert steps >= {step for step, needed in enumerate(model.required) if needed}
        assert steps >= {relaxation.core[place].step for place in at.taken}


@pytest.mark.parametrize("spare", [0, 20])
def test_sifting_finds_the_best_plan_whatever_is_promising(spare, monkeypatch):
    for seed in range(12):
        problem = tutorial_like(Random(seed), 80, correlated=seed % 2 == 0)
        model = build_model(problem)
        monkeypatch.setattr(exact, "LARGE", 10_000)
        found = exact.search_exactly(model)
        monkeypatch.setattr(exact, "LARGE", 0)
        monkeypatch.setattr(exact, "SIFTING", (spare, 4, 50))
        sifted = exact.search_exactly(model)
        assert found.is_proven
        assert sifted.is_proven
        assert {item.name for item in sifted.items} == {item.name for item in found.items}


def test_sifting_is_for_plans_that_their_steps_limit(monkeypatch):
    looked_at = []
    monkeypatch.setattr(
        exact, "promising", lambda *given: looked_at.append(given) or promising(*given)
    )
    for given in ({}, {"limitless": True}):
        exact.search_exactly(build_model(tutorial_like(Random(0), 100, **given)))
    assert len(looked_at) == 1
