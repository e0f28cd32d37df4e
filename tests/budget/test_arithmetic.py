"""The arithmetic of spends, limits and money, for all amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget.strategies import amounts, budgets, small_amounts, small_spends, spends
from thrifty.budget import Budget, InvalidInput, Spend, total_spend
from thrifty.budget.dollars import format_usd, usd
from thrifty.budget.money import limit_nano_usd, quote_nano_usd
from thrifty.budget.resources import RESOURCES


@given(small_spends, small_spends, small_spends)
def test_addition_is_commutative_and_associative_with_zero(a, b, c):
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Spend() == a
    assert total_spend([a, b, c]) == a + b + c


@given(small_spends, small_spends)
def test_subtraction_undoes_addition_and_never_goes_below_zero(a, b):
    assert (a + b) - b == a
    if any(x < y for x, y in zip(a.amounts, b.amounts, strict=True)):
        with pytest.raises(InvalidInput):
            _ = a - b


@given(spends, budgets)
def test_within_means_no_limit_is_passed(spend, budget):
    by_hand = all(
        limit is None or amount <= limit
        for amount, limit in zip(spend.amounts, budget.limits, strict=True)
    )
    assert budget.covers(spend) == by_hand
    assert bool(budget.exceeded_by(spend)) != by_hand


@given(small_spends, small_spends, budgets)
def test_what_fits_beside_a_spend_is_what_is_within_what_it_leaves(spent, more, budget):
    if budget.covers(spent):
        assert budget.covers(spent + more) == budget.left_after(spent).covers(more)


@given(spends, budgets)
def test_what_is_left_is_never_negative_and_keeps_no_limit_unlimited(spend, budget):
    left = budget.left_after(spend)
    for before, after in zip(budget.limits, left.limits, strict=True):
        assert (before is None) == (after is None)
        assert after is None or 0 <= after <= before


@given(spends, budgets)
def test_the_excess_is_named_in_the_order_of_the_resources(spend, budget):
    excess = budget.exceeded_by(spend)
    assert list(excess) == [r.name for r in RESOURCES if r.name in excess]
    assert all(amount > 0 for amount in excess.values())


@given(amounts)
def test_money_survives_being_a_decimal(nano):
    assert limit_nano_usd("cost", usd(nano)) == nano
    assert Budget(max_cost_usd=usd(nano)).limits[1] == nano


@given(st.integers(0, 10**6 * 10**4))
def test_a_float_is_the_amount_that_a_person_reads(ten_thousandths):
    read = Decimal(ten_thousandths) / 10**4
    assert limit_nano_usd("cost", float(read)) == int(read * 10**9)


@given(st.decimals(0, 1000, places=15))
def test_limits_round_down_and_quotes_round_up(exact):
    limit, quote = limit_nano_usd("cost", exact), quote_nano_usd(exact)
    assert usd(limit) <= exact <= usd(quote)
    assert quote - limit <= 1


@given(small_amounts)
def test_dollars_for_a_person_say_the_exact_amount(nano):
    assert Decimal(format_usd(nano)[1:].replace(",", "")) == usd(nano)


@pytest.mark.parametrize(
    ("nano", "told"),
    [
        (0, "$0.00"),
        (50_000_000, "$0.05"),
        (1, "$0.000000001"),
        (1_234_500_000_000, "$1,234.50"),
        (-1_500_000_000, "$-1.50"),
    ],
)
def test_dollars_show_at_least_cents(nano, told):
    assert format_usd(nano) == told


@given(budgets)
def test_a_budget_can_be_changed_in_one_limit(budget):
    changed = budget.with_limits({"max_tokens": 7})
    assert changed.max_tokens == 7
    assert changed.limits[1:] == budget.limits[1:]
