"""Budgets made of budgets: tighter, raised, without time, in words that can be read back."""

from decimal import Decimal

import pytest

from thrifty.budget import Budget, InvalidInput, Spend
from thrifty.budget.limits import BUDGET_DEFAULT, tighter_limits
from thrifty.budget.resources import RESOURCES, TOKENS, TOOL_CALLS, format_amounts

ALL = Budget(max_tokens=100, max_cost_usd=2, max_latency_ms=300, max_tool_calls=4)


def test_of_two_budgets_the_tighter_has_the_lower_of_each_limit():
    other = Budget(max_tokens=90, max_cost_usd=3, max_tool_calls=4)
    assert ALL.tightest_with(other) == Budget(90, 2, 300, 4)
    assert other.tightest_with(ALL) == ALL.tightest_with(other)
    assert ALL.tightest_with(Budget()) == ALL == Budget().tightest_with(ALL)
    assert Budget().tightest_with(Budget()).is_unlimited


def test_raising_adds_to_the_limits_that_are_named_and_there():
    more = {"tokens": 50, "cost": 5 * 10**8, "latency": 7, "tool_calls": 1}
    assert ALL.raised_by(more) == Budget(150, 2.5, 307, 5)
    assert ALL.raised_by({}) == ALL
    assert Budget(max_tokens=1).raised_by(more) == Budget(max_tokens=51)


def test_time_can_be_left_out_of_a_budget():
    assert ALL.without_latency() == Budget(max_tokens=100, max_cost_usd=2, max_tool_calls=4)


def test_a_budget_is_unlimited_only_where_nothing_is_limited():
    assert Budget().is_unlimited
    assert not Budget(max_latency_ms=0).is_unlimited


def test_what_is_left_is_never_less_than_nothing():
    assert ALL.left_after(Spend(30, 10**9, 400, 4)) == Budget(70, 1, 0, 0)
    assert Budget(max_tokens=5).left_after(Spend(1, 1, 1, 1)) == Budget(max_tokens=4)


def test_a_spend_that_passes_limits_is_told_by_how_much():
    assert ALL.exceeded_by(Spend(101, 2 * 10**9, 305, 9)) == {
        "tokens": 1,
        "latency": 5,
        "tool_calls": 5,
    }


def test_limits_are_named_in_the_words_in_which_they_are_changed():
    named = ALL.limits_of({"tokens", "cost", "latency"})
    assert named == {"max_tokens": 100, "max_cost_usd": 2.0, "max_latency_ms": 300}
    assert isinstance(named["max_cost_usd"], float)
    assert Budget().with_limits(named) == Budget(100, 2, 300)
    assert Budget(max_tokens=5).limits_of({"tokens", "cost"}) == {"max_tokens": 5}


def test_the_resources_that_are_limited_come_with_their_limits():
    assert Budget(max_tokens=5, max_tool_calls=0).limited_resources() == (
        (TOKENS, 5),
        (TOOL_CALLS, 0),
    )


@pytest.mark.parametrize("limits", [{}, {"tokens": 5}, "more", {"max_cost_nano_usd": 5}])
def test_a_change_has_to_name_limits(limits):
    with pytest.raises(InvalidInput, match=r"^--raise.*max_tokens, max_cost_usd, max_latency_ms"):
        ALL.with_limits(limits, "--raise")
    with pytest.raises(InvalidInput, match=r"^budget"):
        ALL.with_limits(limits)


def test_a_change_of_nothing_says_what_could_be_named():
    with pytest.raises(InvalidInput) as refused:
        ALL.with_limits({})
    assert refused.value.value == {}
    expected = "name one of: max_tokens, max_cost_usd, max_latency_ms, max_tool_calls"
    assert refused.value.remedy == expected


def test_money_is_read_in_dollars_or_exactly_but_not_in_both():
    assert Budget.from_state({"max_cost_usd": 0.1}) == Budget(max_cost_usd=Decimal("0.1"))
    assert Budget.from_state({"max_cost_nano_usd": 1}) == Budget(max_cost_usd=Decimal("1e-9"))
    assert Budget.from_state({"max_cost_usd": None, "max_cost_nano_usd": 0}).limits[1] == 0
    assert Budget.from_state({"max_cost_usd": 1, "max_cost_nano_usd": None}).limits[1] == 10**9
    with pytest.raises(InvalidInput) as refused:
        Budget.from_state({"max_cost_usd": 1, "max_cost_nano_usd": 10**9}, "limits")
    assert (refused.value.field, refused.value.value) == ("limits.max_cost_nano_usd", 10**9)
    assert refused.value.remedy == "limit cost in one unit only"
    with pytest.raises(InvalidInput) as refused:
        Budget.from_state({"max_cost_nano_usd": -1}, "limits")
    assert refused.value.field == "limits.max_cost_nano_usd"


def test_who_names_no_budget_gets_one_that_ends():
    assert BUDGET_DEFAULT.limits == (8_000, None, 60_000, 8)


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        (Spend(1, 10**9, 9_999, 1), ["1 token", "$1.00", "9,999 ms", "1 call"]),
        (Spend(2_000, 0, 10_000, 0), ["2,000 tokens", "$0.00", "10.0 s", "0 calls"]),
        (Spend(0, 1, 1_234_560, 2), ["0 tokens", "$0.000000001", "1,234.6 s", "2 calls"]),
    ],
)
def test_amounts_are_shown_with_their_units(amounts, shown):
    pairs = zip(RESOURCES, amounts.amounts, strict=True)
    assert [resource.show(amount) for resource, amount in pairs] == shown


def test_amounts_are_told_in_the_order_of_the_resources():
    assert format_amounts({"tool_calls": 1, "tokens": 412}) == "412 tokens, 1 call"
    assert format_amounts({}) == ""


def test_of_two_limits_the_lower_one_counts():
    assert tighter_limits((1, None, 5, None), (2, 3, None, None)) == (1, 3, 5, None)
    assert tighter_limits((2, 3, None, None), (1, None, 5, None)) == (1, 3, 5, None)
