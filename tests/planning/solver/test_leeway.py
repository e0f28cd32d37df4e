"""Every plan that matters has its margins within the leeway, which narrows as the gap does."""

from itertools import product
from math import sqrt
from random import Random

import pytest

from tests.planning.families import tutorial_like
from thrifty.planning.risk import CONE_SCALE
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.concave_hull import concave_hull, hull_increments
from thrifty.planning.solver.core import whole_core
from thrifty.planning.solver.exact import bound_tolerance
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.leeway import leeway
from thrifty.planning.solver.packed_rows import PackedRows
from thrifty.planning.solver.relaxation import Relaxation, RelaxedSolution
from thrifty.planning.solver.subgradient import initial_prices, minimise_bound


def risky_models(count: int):
    """Models of small problems whose limits bind, with requirements, topics and step limits."""
    for seed in range(count):
        random = Random(seed)
        given = {"max_steps": random.choice((None, 4)), "risk": random.choice((0.05, 0.2))}
        model = build_knapsack(tutorial_like(random, 6, arcs=random.choice((0, 1, 2)), **given))
        if model.items and not model.impossible:
            yield random, model


def bounded(model: KnapsackModel) -> tuple[Relaxation, RelaxedSolution]:
    """The relaxation of a whole problem at good prices."""
    rows = PackedRows(model)
    relaxation = Relaxation(model, whole_core(model, rows), rows)
    start = initial_prices(relaxation, [group[0] for group in model.items])
    return relaxation, minimise_bound(
        relaxation.solve, relaxation.slopes, start, lambda: 0.0, 8, lambda at: None
    )


def plans(model: KnapsackModel):
    """Every plan."""
    for choice in product(*[(None, *group) for group in model.items]):
        chosen = [item for item in choice if item]
        if model.is_plan(chosen):
            yield chosen


def margin(chosen, row: int) -> float:
    return sqrt(sum(item.variances[row] for item in chosen if item.variances) / CONE_SCALE)


def test_the_margins_of_all_plans_that_matter_lie_within():
    narrowed = seen = 0
    for random, model in risky_models(300):
        relaxation, at = bounded(model)
        slack = random.choice((0.01, 0.1, 0.3)) * at.bound + 1
        found = leeway(relaxation, at, slack)
        for plan in plans(model):
            if (
                model.plan_value(plan) >= at.bound - slack + 1
            ):  # less than 1 is taken off for the spend
                seen += 1
                for row, (low, high) in enumerate(found):
                    assert low <= margin(plan, row) * (1 + 1e-7)
                    assert high >= margin(plan, row) * (1 - 1e-7)
        for (low, high), (least, largest) in zip(found, relaxation.margin_ranges, strict=True):
            assert least <= low <= high <= largest
            narrowed += high - low < 0.5 * (largest - least)
    assert seen > 1_000
    assert narrowed > 50


def test_with_hardly_any_slack_they_are_those_of_the_bound_itself():
    tight = 0
    for _, model in risky_models(200):
        relaxation, at = bounded(model)
        first = [
            relaxation.items[at.item_values.index(at.step_values[place], relaxation.starts[place])]
            for place in at.chosen_places
        ]
        for row, (low, high) in enumerate(leeway(relaxation, at, bound_tolerance(at))):
            if at.prices.rows[row] and high < relaxation.margin_ranges[row][1]:
                assert low * (1 - 1e-7) <= margin(first, row) <= high * (1 + 1e-7)
                tight += low == pytest.approx(high, rel=1e-4)  # but for ties
    assert tight > 50


def test_a_bound_is_lower_when_it_knows_the_leeway_and_still_holds():
    lower = 0
    for _, model in risky_models(200):
        relaxation, at = bounded(model)
        best = max([model.plan_value(plan) for plan in plans(model)], default=at.bound)
        margins = leeway(relaxation, at, at.bound - best + 1)
        tighter = Relaxation(model, relaxation.core, relaxation.rows, margins)
        again = tighter.solve(at.prices)
        assert again.bound >= best - 1
        assert tighter.margin_looseness(at.prices, margins) <= relaxation.margin_looseness(
            at.prices, relaxation.margin_ranges
        )
        lower += again.bound < at.bound - 1e-6
    assert lower > 50


def test_a_hull_has_the_corners_of_the_line_above_all_points():
    assert concave_hull([(2, 10.0), (4, 11.0), (6, 14.0), (3, 9.0)]) == [
        (0, 0.0),
        (2, 10.0),
        (6, 14.0),
    ]
    assert concave_hull([(0, 3.0), (5, 2.0), (0, 1.0)]) == [(0, 3.0)]
    assert concave_hull([(1, 1.0), (1, 2.0), (2, 4.0)]) == [(0, 0.0), (2, 4.0)]
    assert concave_hull([(1, -1.0)]) == [(0, 0.0)]
    assert hull_increments([(0, 1.0), (2, 5.0), (6, 9.0)]) == [(-2.0, 2), (-1.0, 4)]
