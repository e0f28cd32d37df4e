"""The worst that a call can cost, and the longest answer that what is left affords."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from tests.models.conftest import client
from thrifty import Budget, MemoryLedger, PriceUnknown, Spend, TokenPrice
from thrifty.models.calls.allowance import Allowance
from thrifty.models.calls.reservation import CallAccounts
from thrifty.models.costs.input_bound import MESSAGE_OVERHEAD_TOKENS
from thrifty.models.costs.prices import PriceList
from thrifty.models.providers.openai import OpenAIModel
from thrifty.models.providers.vendor_request import CallBounds

NO_MONEY = Budget(max_tokens=1)
OWN = PriceList({"own": TokenPrice(Decimal(1), Decimal(4))})
INPUT = 4 + MESSAGE_OVERHEAD_TOKENS


def accounts(
    model: str = "own",
    *,
    text: str = "four",
    cap_max: int = 500,
    prices: PriceList = OWN,
    **options: Any,
) -> CallAccounts:
    """A call that asks a text, and what it is charged to."""
    nobody = SimpleNamespace(base_url="http://127.0.0.1:9/v1")
    bounds = CallBounds(cap_max)
    given = OpenAIModel(client(nobody, "chat", model))
    request = given.request([HumanMessage(text)], None, options, bounds)
    allowance = Allowance(MemoryLedger(), "team", "key", "label", None, lambda limits: None)
    return CallAccounts(request, bounds, prices, allowance, None)


def test_a_cap_is_never_larger_than_any_model_may_answer():
    assert accounts(cap_max=20, max_tokens=40).cost.cap_max == 20
    assert accounts(cap_max=20).cost.cap_max == 20
    assert accounts(max_tokens=15).cost.cap_max == 15
    assert accounts().cost.cap_max == 500


def test_its_input_is_bounded_and_its_worst_case_follows():
    one = accounts()
    assert one.request.input_tokens == INPUT
    assert one.cost.worst_case(50) == Spend(INPUT + 50, INPUT * 1_000 + 50 * 4_000, 0, 1)
    assert one.cost.worst_case(50, NO_MONEY) == one.cost.worst_case(50)


def test_an_unknown_price_is_no_matter_where_none_is_needed():
    unknown = accounts("nobody-knows")
    assert unknown.cost.worst_case(50, NO_MONEY) == Spend(INPUT + 50, 0, 0, 1)
    with pytest.raises(PriceUnknown):
        unknown.cost.worst_case(50)


@pytest.mark.parametrize(
    ("tier", "is_known"), [("priority", True), ("flex", True), ("unheard-of", False)]
)
def test_the_price_is_that_of_its_tier(tier, is_known):
    listed = PriceList({})
    one = accounts("gpt-5", prices=listed, service_tier=tier)
    standard = accounts("gpt-5", prices=listed).cost.worst_case(50).cost_nano_usd
    cost = one.cost.worst_case(50, NO_MONEY).cost_nano_usd
    assert (cost > 0) == is_known
    assert cost != standard


@pytest.mark.parametrize(
    ("limits", "cap"),
    [
        ({}, 500),
        ({"max_tokens": INPUT + 40}, 40),
        ({"max_tokens": INPUT}, 0),
        ({"max_tokens": INPUT - 3}, -3),
        ({"max_cost_usd": Decimal(INPUT * 1_000 + 30 * 4_000 + 3_999) / 10**9}, 30),
        ({"max_tokens": INPUT + 40, "max_cost_usd": 1}, 40),
        ({"max_tokens": INPUT + 1, "max_cost_usd": 1}, 1),
        ({"max_tokens": INPUT - 3, "max_cost_usd": 0}, -3),
        ({"max_cost_usd": 0}, 0),
    ],
)
def test_the_largest_cap_is_what_every_resource_affords(limits, cap):
    assert accounts().cost.largest_cap(Budget(**limits)) == cap


def test_a_long_context_is_priced_as_one():
    """Of gpt-5.6-sol a request of more than 272,000 tokens of input costs twice as much a token."""

    def call(text: str) -> CallAccounts:
        return accounts("gpt-5.6-sol", text=text, cap_max=100_000, prices=PriceList({}))

    short, long = call("tea " * 260_000), call("tea " * 280_000)
    assert short.request.input_tokens < 272_000 < long.request.input_tokens
    dollars = Budget(max_cost_usd=3)
    for each in (short, long):
        cap = each.cost.largest_cap(dollars)
        assert dollars.covers(each.cost.worst_case(cap))
        assert not dollars.covers(each.cost.worst_case(cap + 1))
    input_ratio = long.cost.worst_case(0).cost_nano_usd / short.cost.worst_case(0).cost_nano_usd
    assert input_ratio > 1.9 * long.request.input_tokens / short.request.input_tokens
