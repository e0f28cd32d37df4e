"""Prices that change in the middle of a call: it is settled at those at which it was reserved."""

from dataclasses import replace
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot, set_custom_snapshot

from thrifty.models.costs.prices import PriceList
from thrifty.models.costs.token_price import TokenPrice

CHEAP, DEAR = TokenPrice(Decimal(1), Decimal(1)), TokenPrice(Decimal(9), Decimal(9))
CALL = ("gpt-4o", 1_000, 1_000)


@pytest.fixture
def listed_twice_as_dear():
    """Brings in a public list in which this model has the prices of a dearer one."""

    def change():
        listed = get_snapshot()
        openai = next(provider for provider in listed.providers if provider.id == "openai")
        dear = next(model for model in openai.models if model.id == "gpt-4").prices
        models = [replace(m, prices=dear) if m.id == "gpt-4o" else m for m in openai.models]
        providers = [replace(openai, models=models)]
        set_custom_snapshot(replace(listed, providers=providers, _lookup_cache={}))

    yield change
    set_custom_snapshot(None)


def test_a_public_list_that_changes_leaves_the_call_alone(listed_twice_as_dear):
    prices = PriceList({})
    call = prices.pin()
    reserved = call.quote(*CALL)
    listed_twice_as_dear()
    assert call.quote(*CALL) == reserved
    assert prices.quote(*CALL) == prices.pin().quote(*CALL) > reserved


def test_an_own_price_that_changes_leaves_the_call_alone():
    own = {"mine": CHEAP}
    prices = PriceList(own)
    call = prices.pin()
    own["mine"] = DEAR
    assert prices.quote("mine", 1, 1) == 9 * call.quote("mine", 1, 1)
