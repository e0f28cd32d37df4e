"""The linear bound lies below the margin of every plan, and meets it where it should."""

from itertools import product
from math import inf, sqrt
from random import Random

import pytest

from thrifty.planning.risk import CONE_SCALE, fits_margin
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.margin_bound import MarginBound, bound_margins, margin_range


def item(step: int, amount: int, deviation: int) -> KnapsackItem:
    """One that is uncertain by so many units."""
    variances = (deviation * deviation * CONE_SCALE,) if deviation else ()
    return KnapsackItem(step, 1, (amount,), variances, (amount,), f"{step}: {amount}")


def plans(steps, needed, capacity, max_steps):
    """The variance of every plan that fits with its margin."""
    for choice in product(*[(*items, None) for items in steps]):
        chosen = [each for each in choice if each]
        has_needed = all(each for each, must in zip(choice, needed, strict=True) if must)
        used = sum(each.amounts[0] for each in chosen)
        variance = sum(each.variances[0] for each in chosen if each.variances)
        if has_needed and len(chosen) <= max_steps and fits_margin(capacity - used, variance):
            yield variance


def bound_below(*given) -> MarginBound:
    return bound_margins(margin_range(*given))


def test_no_plan_has_a_margin_below_the_bound():
    random, gaps = Random(0), []
    for _ in range(400):
        count = random.randint(1, 5)
        steps = [
            [item(step, amount, random.choice([0, amount // 3, amount]))
             for amount in random.sample(range(1, 60), random.randint(1, 2))]
            for step in range(count)
        ]  # fmt: skip
        needed = [random.random() < 0.3 for _ in steps]
        capacity, max_steps = random.randint(20, 150), random.randint(1, count)
        base, slope = bound_below(0, capacity, max_steps, steps, needed)
        gap = inf
        for variance in plans(steps, needed, capacity, max_steps):
            margin = sqrt(variance / CONE_SCALE)
            assert margin >= base + slope * variance - 1e-9
            gap = min(gap, margin - base - slope * variance)
        gaps.append(gap)
    assert sum(gap < 1e-9 for gap in gaps) > 100


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_meets_the_margin_of_what_just_fits_beside_it(count):
    margin = sqrt(count) * 10.0
    steps = [[item(step, 100, 10)] for step in range(5)]
    base, slope = bound_below(0, 100 * count + round(margin), 5, steps, [False] * 5)
    assert base == 0.0
    assert slope * count * 100 * CONE_SCALE == pytest.approx(margin, rel=0.01)


@pytest.mark.parametrize("count", [2, 3])
def test_it_meets_the_margin_of_as_many_steps_as_a_plan_has_and_of_the_needed(count):
    steps = [[item(step, 100, 10)] for step in range(5)]
    base, slope = bound_below(0, 10_000, count, steps, [True] + [False] * 4)
    for chosen in (1, count):
        assert base + slope * chosen * 100 * CONE_SCALE == pytest.approx(10 * sqrt(chosen))


def test_the_dense_ones_fill_the_capacity_first():
    """A certain step takes room too, but adds nothing; small dense ones are taken only once."""
    steps = [[item(0, 10, 10)], [item(1, 10, 10)], [item(2, 100, 10)], [item(3, 100, 0)]]
    _, slope = bound_below(0, 66, 4, steps, [False] * 4)
    margin = 1.0 / slope / CONE_SCALE
    assert margin * margin == pytest.approx(200 + (66 - 20 - margin))


def test_without_margins_there_is_none():
    assert bound_below(0, 10, 2, [[item(0, 5, 0)], []], [True, False]) == MarginBound(0.0, 0.0)
    assert bound_below(0, 0, 2, [[item(0, 5, 5)]], [True]) == MarginBound(0.0, 0.0)
