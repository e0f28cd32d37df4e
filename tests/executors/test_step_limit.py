"""The most that a step may use, and one model call for it; what an estimate costs."""

from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty import (
    Budget,
    BudgetExceeded,
    Model,
    PriceUnknown,
    Settings,
    Spend,
    StepOption,
    TokenPrice,
)
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.step_limit import HEADROOM, call_limit
from thrifty.models.prices import PriceList, most_affordable
from thrifty.models.roles import ModelRoles

OWN = PriceList({"own": TokenPrice(Decimal("1"), Decimal("4"))})
FREE = PriceList({"own": TokenPrice(Decimal(0), Decimal(0))})


@given(tokens=st.integers(0, 100_000), cost=st.integers(0, 10**9))
def test_the_affordable_tokens_are_the_most_that_fit(tokens, cost):
    found = most_affordable(tokens, cost, partial(OWN.worst_quote, "own"))
    assert OWN.worst_quote("own", found) <= cost or found == 0
    if found < tokens:
        assert OWN.worst_quote("own", found + 1) > cost


def option(tokens: int = 600, calls: int = 1, cost: int = 0) -> StepOption:
    return StepOption("x (LLM)", "x", "llm", "does x", Spend(tokens, cost, 900, calls), 1.0)


def test_a_call_limit_is_three_estimates_where_the_budget_has_it():
    limit = call_limit(option(), Budget(max_tokens=10_000), "own", FREE)
    assert limit == Spend(HEADROOM * 600, 0, 0, 1)


def test_a_call_limit_is_what_is_left_where_the_budget_has_less():
    assert call_limit(option(), Budget(max_tokens=700), "own", FREE).tokens == 700


def test_a_call_limit_that_does_not_hold_the_estimate_is_refused():
    with pytest.raises(BudgetExceeded, match="1 token short"):
        call_limit(option(), Budget(max_tokens=599), "own", FREE)
    with pytest.raises(BudgetExceeded, match="1 call short"):
        call_limit(option(), Budget(max_tool_calls=0), "own", FREE)


def test_what_is_short_of_a_call_is_named_for_what_it_is():
    """A few cents hold no tokens of a dear model: it is money that lacks."""
    for left, missing in [
        (Budget(max_cost_usd=Decimal("0.0001")), {"cost": OWN.worst_quote("own", 600) - 100_000}),
        (Budget(max_tokens=599), {"tokens": 1}),
        (
            Budget(max_tokens=500, max_cost_usd=Decimal("0.0001")),
            {"tokens": 100, "cost": OWN.worst_quote("own", 600) - 100_000},
        ),
    ]:
        with pytest.raises(BudgetExceeded) as refusal:
            call_limit(option(), left, "own", OWN)
        assert refusal.value.missing == missing


def test_headroom_is_measured_from_what_was_declared_where_that_is_more():
    ample = Budget(max_tokens=10_000)
    assert call_limit(option(), ample, "own", FREE, declared_tokens=900).tokens == HEADROOM * 900
    assert call_limit(option(), ample, "own", FREE, declared_tokens=300).tokens == HEADROOM * 600
    assert call_limit(option(700), Budget(max_tokens=700), "own", FREE, 900).tokens == 700


def test_a_call_limit_has_the_calls_and_no_time():
    left = Budget(max_tool_calls=2, max_latency_ms=1)
    assert call_limit(option(calls=2), left, "own", FREE) == Spend(HEADROOM * 600, 0, 0, 2)
    assert call_limit(option(calls=0), left, "own", FREE).tool_calls == 1


def test_a_call_limit_has_its_price_wherever_one_is_known():
    limit = call_limit(option(), Budget(), "own", OWN)
    assert limit == Spend(1_800, OWN.worst_quote("own", 1_800), 0, 1)


def test_money_for_less_than_the_estimate_is_told_as_money_and_of_whom():
    left = Budget(max_cost_usd=Decimal(OWN.worst_quote("own", 597)) / 10**9)
    with pytest.raises(BudgetExceeded) as refused:
        call_limit(option(), left, "own", OWN)
    assert refused.value.missing == {"cost": 3 * 4_000}
    assert str(refused.value).startswith("x (LLM) does not fit")
    with pytest.raises(BudgetExceeded, match=r"x \(LLM\) does not fit"):
        call_limit(option(calls=2), Budget(max_tool_calls=1), "own", OWN)


@given(st.integers(0, 10_000_000))
def test_a_call_limit_is_within_the_money_that_is_left(cost):
    left = Budget(max_cost_usd=Decimal(cost) / 10**9)
    try:
        limit = call_limit(option(), left, "own", OWN)
    except BudgetExceeded:
        assert OWN.worst_quote("own", 600) > cost
    else:
        assert left.covers(limit)
        assert limit.cost_nano_usd == OWN.worst_quote("own", limit.tokens)


def test_an_unknown_price_matters_only_where_money_is_limited():
    assert call_limit(option(), Budget(max_tokens=5_000), "nobody-knows", FREE).cost_nano_usd == 0
    with pytest.raises(PriceUnknown):
        call_limit(option(), Budget(max_cost_usd=1), "nobody-knows", FREE)


def test_an_estimate_is_priced_unless_the_catalog_did_it():
    settings = Settings("sk-1", models={"strong": Model("own", price=TokenPrice(1, 4))})
    access = ModelAccess(ModelRoles(settings), is_cost_limited=True)
    priced = access.price_option(option(1000)).estimate
    assert priced.cost_nano_usd == 250 * 1_000 + 750 * 4_000
    assert access.price_option(option(1000, cost=5)).estimate.cost_nano_usd == 5
