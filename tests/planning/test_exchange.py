"""A plan that was exchanged is a plan, and not worse."""

from random import Random

from tests.planning.families import tutorial_like
from tests.planning.instances import small_problem
from thrifty.planning.compiling import build_model
from thrifty.planning.core import whole
from thrifty.planning.descent import first_prices
from thrifty.planning.exchange import exchanged
from thrifty.planning.greedy import by_density
from thrifty.planning.model import Model
from thrifty.planning.problem import Problem
from thrifty.planning.relaxation import Relaxation
from thrifty.planning.rows import Rows


def gain(model: Model) -> int | None:
    """What changes add to a greedy plan, in units; None when there is none."""
    rows = Rows(model)
    relaxation = Relaxation(model, whole(model, rows), rows)
    draft = by_density(relaxation)
    if not draft:
        return None
    before = [branch.item for branch in draft]
    at = relaxation.solve(first_prices(relaxation, before))
    after = [branch.item for branch in exchanged(relaxation, at, draft)]
    assert model.is_plan(before)
    assert model.is_plan(after)
    return model.worth(after) - model.worth(before)


def test_changes_leave_a_plan_that_is_not_worse_with_every_feature_on():
    gains = []
    for seed in range(3_000):
        model = build_model(small_problem(Random(seed), steps_max=8))
        if model.items and not model.impossible:
            gains.append(gain(model))
    found = [each for each in gains if each is not None]
    assert min(found) == 0
    assert sum(each > 0 for each in found) > 50


def problems() -> list[Problem]:
    return [
        tutorial_like(Random(seed), 100, max_steps=max_steps, arcs=arcs, risk=risk)
        for seed in range(3)
        for max_steps in (6, None)
        for arcs in (None, 3)
        for risk in (0.2, 0.5)
    ]


def test_changes_use_the_room_that_a_greedy_plan_leaves():
    gains = [gain(build_model(problem)) for problem in problems()]
    assert all(each is not None and each >= 0 for each in gains)
    assert sum(each is not None and each > 0 for each in gains) >= len(gains) // 2
