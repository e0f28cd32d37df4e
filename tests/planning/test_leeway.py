"""Every plan that matters has its margins within the leeway, which narrows as the gap does."""

from itertools import product
from math import sqrt
from random import Random

import pytest

from tests.planning.families import tutorial_like
from thrifty.planning.compiling import build_model
from thrifty.planning.core import whole
from thrifty.planning.descent import descend, first_prices
from thrifty.planning.exact import tolerance
from thrifty.planning.hull import hull, increments
from thrifty.planning.leeway import leeway
from thrifty.planning.model import Model
from thrifty.planning.relaxation import Relaxation, Relaxed
from thrifty.planning.risk import CONE
from thrifty.planning.rows import Rows


def risky_models(count: int):
    """Models of small problems whose limits bind, with requirements, topics and step limits."""
    for seed in range(count):
        random = Random(seed)
        given = {"max_steps": random.choice((None, 4)), "risk": random.choice((0.05, 0.2))}
        model = build_model(tutorial_like(random, 6, arcs=random.choice((0, 1, 2)), **given))
        if model.items and not model.impossible:
            yield random, model


def bounded(model: Model) -> tuple[Relaxation, Relaxed]:
    """The relaxation of a whole problem at good prices."""
    rows = Rows(model)
    relaxation = Relaxation(model, whole(model, rows), rows)
    start = first_prices(relaxation, [group[0] for group in model.items])
    return relaxation, descend(relaxation, start, lambda: 0.0, 8, lambda at: None)


def plans(model: Model):
    """Every plan."""
    for choice in product(*[(None, *group) for group in model.items]):
        chosen = [item for item in choice if item]
        if model.is_plan(chosen):
            yield chosen


def margin(chosen, row: int) -> float:
    return sqrt(sum(item.variances[row] for item in chosen if item.variances) / CONE)


def test_the_margins_of_all_plans_that_matter_lie_within():
    narrowed = seen = 0
    for random, model in risky_models(300):
        relaxation, at = bounded(model)
        slack = random.choice((0.01, 0.1, 0.3)) * at.bound + 1
        found = leeway(relaxation, at, slack)
        for plan in plans(model):
            if model.worth(plan) >= at.bound - slack + 1:  # less than 1 is taken off for the spend
                seen += 1
                for row, (low, high) in enumerate(found):
                    assert low <= margin(plan, row) * (1 + 1e-7)
                    assert high >= margin(plan, row) * (1 - 1e-7)
        for (low, high), (least, largest) in zip(found, relaxation.margins, strict=True):
            assert least <= low <= high <= largest
            narrowed += high - low < 0.5 * (largest - least)
    assert seen > 1_000
    assert narrowed > 50


def test_with_hardly_any_slack_they_are_those_of_the_bound_itself():
    tight = 0
    for _, model in risky_models(200):
        relaxation, at = bounded(model)
        first = [
            relaxation.items[at.worth.index(at.tops[place], relaxation.starts[place])]
            for place in at.taken
        ]
        for row, (low, high) in enumerate(leeway(relaxation, at, tolerance(at))):
            if at.prices.rows[row] and high < relaxation.margins[row][1]:
                assert low * (1 - 1e-7) <= margin(first, row) <= high * (1 + 1e-7)
                tight += low == pytest.approx(high, rel=1e-4)  # but for ties
    assert tight > 50


def test_a_bound_is_lower_when_it_knows_the_leeway_and_still_holds():
    lower = 0
    for _, model in risky_models(200):
        relaxation, at = bounded(model)
        best = max([model.worth(plan) for plan in plans(model)], default=at.bound)
        margins = leeway(relaxation, at, at.bound - best + 1)
        tighter = Relaxation(model, relaxation.core, relaxation.rows, margins)
        again = tighter.solve(at.prices)
        assert again.bound >= best - 1
        assert tighter.doubt(at.prices, margins) <= relaxation.doubt(at.prices, relaxation.margins)
        lower += again.bound < at.bound - 1e-6
    assert lower > 50


def test_a_hull_has_the_corners_of_the_line_above_all_points():
    assert hull([(2, 10.0), (4, 11.0), (6, 14.0), (3, 9.0)]) == [(0, 0.0), (2, 10.0), (6, 14.0)]
    assert hull([(0, 3.0), (5, 2.0), (0, 1.0)]) == [(0, 3.0)]
    assert hull([(1, 1.0), (1, 2.0), (2, 4.0)]) == [(0, 0.0), (2, 4.0)]
    assert hull([(1, -1.0)]) == [(0, 0.0)]
    assert increments([(0, 1.0), (2, 5.0), (6, 9.0)]) == [(-2.0, 2), (-1.0, 4)]
