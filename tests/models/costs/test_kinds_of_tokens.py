"""Kinds of tokens that have prices of their own, as a server counts them and as they are booked."""

import pytest
from langchain_core.messages import HumanMessage

from tests.harness.llm_server import Answer
from tests.models.conftest import entries
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import Budget, InvalidInput, PriceUnknown, TokenPrice

MONEY = Budget(max_cost_usd=0.05)
SOUND = HumanMessage(
    [
        {"type": "text", "text": "What is said?"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]
)
HOUSE = TokenPrice(10, 50, 1, 12.5, audio_input_usd=100, audio_output_usd=200)


def cost(bill, price):
    """What a provider asks at a price of one's own, in nano-USD."""
    apart = bill.cached_input_tokens + bill.written_input_tokens + bill.audio_input_tokens
    micro = (bill.input_tokens - apart) * price.input_usd
    micro += bill.cached_input_tokens * price.cached_usd
    micro += bill.written_input_tokens * price.written_usd
    micro += bill.audio_input_tokens * (price.audio_input_usd or 0)
    micro += (bill.output_tokens - bill.audio_output_tokens) * price.output_usd
    return (micro + bill.audio_output_tokens * (price.audio_output_usd or 0)) * 1_000


@pytest.mark.parametrize("way", EVERY_WAY)
def test_what_is_read_from_a_cache_and_written_to_it_has_ones_own_price(
    make, server, ledger, api, way
):
    server.script(Answer("Yes.", cached_input_tokens=3, written_input_tokens=5))
    WAYS[way](make(MONEY, api, "house", prices={"house": HOUSE}), "Tea or coffee? " * 3)
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.charged.cost_nano_usd == cost(server.bill, HOUSE)
    assert not entry.is_overrun


@pytest.mark.parametrize("way", EVERY_WAY)
def test_all_input_may_be_written(make, server, ledger, api, way):
    server.script(Answer(tokens=5_000, written_input_tokens=10_000))
    model = make(Budget(max_cost_usd=0.003), api, "house", prices={"house": HOUSE})
    WAYS[way](model, "Tea or coffee? " * 3)
    (entry,) = entries(ledger)
    assert server.bill.written_input_tokens == server.bill.input_tokens
    assert entry.charged.cost_nano_usd == cost(server.bill, HOUSE) <= 3_000_000
    assert not entry.is_overrun


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_sound_is_held_and_charged_at_the_price_of_sound(make, server, ledger, way):
    server.script(Answer("A cat.", audio_input_tokens=1_000))
    model = make(MONEY, model="house", prices={"house": HOUSE}, tokens_per_attachment=60)
    WAYS[way](model, [SOUND])
    (entry,) = entries(ledger)
    assert server.bill.audio_input_tokens > 20
    assert entry.charged.cost_nano_usd == cost(server.bill, HOUSE)
    assert entry.reserved.cost_nano_usd > 60 * 100_000


@pytest.mark.parametrize("model", ["plain", "gpt-4o"])
def test_sound_whose_price_nobody_knows_is_not_sent(make, server, model):
    asked = make(MONEY, model=model, prices={"plain": TokenPrice(10, 50)}, tokens_per_attachment=60)
    with pytest.raises(PriceUnknown, match=r"sound|audio"):
        asked.invoke([SOUND])
    assert not server.requests


def test_sound_without_a_bound_is_not_sent(make, server):
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        make(MONEY, model="house", prices={"house": HOUSE}).invoke([SOUND])
    assert not server.requests


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_service_tier_has_ones_own_price(make, server, ledger, api, way):
    server.script(Answer("Yes."))
    price = TokenPrice(10, 50, tiers={"flex": TokenPrice(1, 5, 0.5, 1)})
    model = make(MONEY, api, "house", {"service_tier": "flex"}, prices={"house": price})
    WAYS[way](model, "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server.bill, price.tiers["flex"])


def test_a_tier_of_ones_own_without_a_price_is_not_sent(make, server):
    price = TokenPrice(10, 50, tiers={"flex": TokenPrice(1, 5)})
    options = {"service_tier": "priority"}
    with pytest.raises(PriceUnknown, match="priority"):
        make(MONEY, "chat", "house", options, prices={"house": price}).invoke("Tea?")
    assert not server.requests


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_long_input_has_the_price_of_long_ones(make, server, ledger, api, way):
    server.script(Answer("Yes."))
    price = TokenPrice(1, 5, long_above=40, long=TokenPrice(2, 10, 1, 2))
    WAYS[way](make(MONEY, api, "house", prices={"house": price}), "Tea or coffee? " * 20)
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == cost(server.bill, price.long)
    assert not entry.is_overrun
