"""What is planned where nothing fits with its margin, while the ledger holds the budget."""

from math import log1p, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty import Budget, Problem, Spend, Step, StepOption, make_plan
from thrifty.planning.engines import make_best_plan
from thrifty.planning.held_plan import fit_chance, plan_while_held


def option(name: str, tokens: int, value: float, spread: float = 0.4, **spend: int) -> StepOption:
    return StepOption(name, "S", "mine", "do it", Spend(tokens, **spend), value, spread)


def held(*options: StepOption, tokens: int, **given: object):
    problem = Problem((Step("S", options),), Budget(max_tokens=tokens), **given)
    return plan_while_held([problem], make_best_plan).plan


def names(plan) -> list[str]:
    return [each.name for each in plan.chosen]


def test_what_fits_with_its_margin_is_planned_as_ever():
    plan = held(option("a", 100, 5.0), option("b", 900, 9.0), tokens=1_000)
    alone = make_plan(
        Problem(
            (Step("S", (option("a", 100, 5.0), option("b", 900, 9.0))),), Budget(max_tokens=1_000)
        )
    )
    assert names(plan) == names(alone)
    assert plan.chance is None


def test_where_nothing_has_a_margin_the_most_chance_times_value_is_begun():
    plan = held(option("a", 980, 5.0), option("b", 1_500, 9.0), tokens=1_000)
    assert names(plan) == ["a"]
    assert 0.5 < plan.chance < 0.6


def test_a_much_better_one_is_worth_a_smaller_chance():
    plan = held(option("a", 990, 1.0), option("b", 1_100, 50.0), tokens=1_000)
    assert names(plan) == ["b"]
    assert plan.chance < 0.5


def test_what_is_certain_not_to_fit_is_not_begun():
    assert names(held(option("a", 1_001, 5.0, 0.0), tokens=1_000)) == []
    calls = option("a", 10, 5.0, tool_calls=2)
    problem = Problem((Step("S", (calls,)),), Budget(max_tokens=5, max_tool_calls=1))
    assert names(plan_while_held([problem], make_best_plan).plan) == []


def test_what_is_there_already_counts_where_it_does_not_fit():
    """To keep what is there is as good as half the chance of what is worth twice as much."""
    keep = StepOption("as it is", "S", "keep", "keep it", Spend(), 4.0, 0.0)
    plan = held(keep, option("again", 1_000, 4.1), tokens=1_000)
    assert names(plan) == ["again"]
    assert names(held(keep, option("again", 4_000, 4.1), tokens=1_000)) == ["as it is"]


@given(
    st.lists(
        st.tuples(st.integers(1, 900), st.floats(0, 1)), min_size=1, max_size=4
    ),
    st.integers(1, 3_000),
)  # fmt: skip
def test_the_chance_is_one_and_grows_with_the_room(parts, room):
    options = [
        StepOption(f"{n}", f"{n}", "mine", "d", Spend(tokens), 1.0, spread)
        for n, (tokens, spread) in enumerate(parts)
    ]
    steps = tuple(Step(each.step, (each,)) for each in options)
    less, more = (
        fit_chance(options, Problem(steps, Budget(max_tokens=limit))) for limit in (room, room + 50)
    )
    assert 0 <= less <= more <= 1


@pytest.mark.parametrize("room", [700, 1_000, 1_300])
def test_the_chance_is_that_of_simulated_bills(room):
    options = [option("a", 600, 1.0, 0.3), option("b", 400, 1.0, 0.5)]
    problem = Problem((Step("S", tuple(options)),), Budget(max_tokens=room))
    draw = Random(2)

    def bill(mean: float, spread: float) -> float:
        variance = log1p(spread**2)
        return mean * draw.lognormvariate(-variance / 2, sqrt(variance))

    bills = [bill(600, 0.3) + bill(400, 0.5) for _ in range(20_000)]
    share = sum(bill <= room for bill in bills) / len(bills)
    assert fit_chance(options, problem) == pytest.approx(share, abs=0.02)
