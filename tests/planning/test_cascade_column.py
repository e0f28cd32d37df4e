"""A cascade as one column of a plan, against simulated runs."""

from random import Random
from statistics import mean, stdev

import pytest

from thrifty import Spend, Step, StepOption
from thrifty.budget import Cascade
from thrifty.planning.cascade_column import make_cascade, with_columns


def option(name: str, tokens: int, spread: float = 0.3, cost: int = 0) -> StepOption:
    return StepOption(name, "S", "llm", "do it", Spend(tokens, cost, 100, 1), 5.0, spread)


@pytest.mark.parametrize(
    ("first", "then", "chance", "ratio"),
    [(400, 300, 0.3, 1.2), (100, 4_000, 0.1, 1.3), (900, 0, 0.5, 1.0), (500, 500, 1.0, 1.1)],
)
def test_mean_and_spread_are_those_of_simulated_runs(first, then, chance, ratio):
    column = make_cascade(
        "both", Cascade("a", "b", "c", chance, ratio), option("a", first), option("b", then)
    )
    draw = Random(7)
    bills = []
    for _ in range(20_000):
        bill = draw.gauss(first, 0.3 * first)
        if draw.random() < chance:
            bill += ratio * draw.gauss(then, 0.3 * then)
        bills.append(bill)
    assert column.estimate.tokens == pytest.approx(mean(bills), rel=0.02)
    tokens_spread = stdev(bills) / mean(bills)
    # Time is the other uncertain resource, and the wider one may speak for all.
    assert column.spread >= tokens_spread * 0.97


def test_money_that_only_the_second_takes_widens_the_spread():
    column = make_cascade(
        "both", Cascade("a", "b", "c", 0.25), option("a", 100), option("b", 100, cost=1_000)
    )
    assert column.estimate == Spend(125, 250, 125, 2)
    assert column.spread > 1.5


def test_it_follows_the_estimates_of_the_options_that_it_is_made_of():
    first, then = option("a", 100), option("b", 200)
    column = make_cascade("both", Cascade("a", "b", "c", 0.5), first, then)
    dearer = then.with_estimate(Spend(800, 0, 100, 1), 0.3)
    step = with_columns(Step("S", (first, dearer, column)))
    assert step.option("both").estimate.tokens == 500
    assert with_columns(step) == step
