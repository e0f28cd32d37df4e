"""Prices: what the public list is asked, the tiers it knows, and the worst that a call can cost."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from thrifty import PriceUnknown, TokenPrice
from thrifty.models.costs.prices import PriceList, most_affordable, public_list
from thrifty.models.costs.usage import Usage


@dataclass
class Anthropic:
    """The public list, asked for models of Anthropic."""

    listed: Any

    def calc(self, used: Any, model: str, provider: str, *rest: Any) -> Any:
        return self.listed.calc(used, model, "anthropic", *rest)


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
IN_MICRO, OUT_MICRO, READ_MICRO, WRITTEN_MICRO = 2, 8, 1, 5
"""What the list below asks for a token: read from a cache it is cheaper, written to it dearer."""
OWN = PriceList({"own": TokenPrice(Decimal(1), Decimal(4))})
FREE = PriceList({"own": TokenPrice(Decimal(0), Decimal(0))})


def constraint(is_active: bool) -> Any:
    return SimpleNamespace(active=lambda now: is_active and now is NOON)


@dataclass
class Listed:
    """Stands for the list of genai-prices, and keeps what it was asked."""

    variants: Any = None
    hour_mtok: Any = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    providers = (SimpleNamespace(id="openai"),)

    def calc(self, used: Any, model: str, *rest: Any) -> Any:
        self.asked.append((used, model, *rest))
        if model == "odd":
            raise ValueError("no such unit")
        if model != "listed":
            raise LookupError(f"{model} is not listed")
        plain = used.input_tokens - used.cache_read_tokens - used.cache_write_tokens
        micro = plain * IN_MICRO + used.output_tokens * OUT_MICRO
        micro += used.cache_read_tokens * READ_MICRO + used.cache_write_tokens * WRITTEN_MICRO
        model_info = SimpleNamespace(price_variants=self.variants)
        prices = SimpleNamespace(cache_write_1h_mtok=self.hour_mtok)
        return SimpleNamespace(
            total_price=Decimal(micro) / 10**6, model=model_info, model_price=prices
        )


def prices(**listed: Any) -> tuple[PriceList, Listed]:
    public = Listed(**listed)
    return PriceList({}, lambda: (public, NOON)), public


def test_the_list_is_asked_as_its_library_wants_to_be():
    listed, public = prices()
    assert listed.quote("listed", 10, 3) == (10 * IN_MICRO + 3 * OUT_MICRO) * 1000
    used, *rest = public.asked[0]
    assert rest == ["listed", "openai", None, NOON, None]
    assert repr(used) == "Usage(input_tokens=10, output_tokens=3)"  # and no zeros


def test_what_was_read_from_a_cache_or_written_to_it_is_told():
    listed, _ = prices()
    micro = 3 * IN_MICRO + 4 * READ_MICRO + 3 * WRITTEN_MICRO + OUT_MICRO
    assert listed.of("listed", Usage(10, 1, 4, 3)) == micro * 1000


@pytest.mark.parametrize("tier", ["", "auto", "default"])
def test_the_standard_tier_goes_by_several_names(tier):
    listed, public = prices()
    assert listed.quote("listed", 1, 1, tier=tier) == listed.quote("listed", 1, 1)
    assert public.asked[0][-1] is None


@pytest.mark.parametrize(
    ("variants", "is_known"),
    [
        (None, False),
        ([], False),
        ([SimpleNamespace(when={"service_tier": "flex"}, constraint=None)], True),
        ([SimpleNamespace(when={"service_tier": "flex"}, constraint=constraint(True))], True),
        ([SimpleNamespace(when={"service_tier": "flex"}, constraint=constraint(False))], False),
        ([SimpleNamespace(when={"service_tier": "priority"}, constraint=None)], False),
        ([SimpleNamespace(when={}, constraint=None)], False),
    ],
)
def test_a_tier_has_a_price_where_the_list_has_one_for_it_now(variants, is_known):
    listed, public = prices(variants=variants)
    assert listed.knows("listed", "flex") == is_known
    assert public.asked[0][-1] == {"service_tier": "flex"}
    usage = Usage(1, 1, tier="flex")
    if is_known:
        assert listed.of("listed", usage) == (IN_MICRO + OUT_MICRO) * 1000
        assert listed.worst("listed", 1, 1, "flex") == (WRITTEN_MICRO + OUT_MICRO) * 1000
        assert {asked[-1]["service_tier"] for asked in public.asked} == {"flex"}
    else:
        with pytest.raises(PriceUnknown, match=r"'listed' \(in the service tier 'flex'\)"):
            listed.of("listed", usage)


@pytest.mark.parametrize(("model", "why"), [("odd", "no such unit"), ("none", "is not listed")])
def test_a_price_that_nobody_knows_is_told_with_its_reason(model, why):
    listed, _ = prices()
    assert not listed.knows(model)
    assert f"{model!r}" in listed.why_unknown(model)
    assert why in listed.why_unknown(model)
    assert listed.why_unknown("listed") == ""


@pytest.mark.parametrize(
    ("vendor", "why"),
    [
        ("", "the public list has no such vendor"),
        (
            "nobody",
            "the public list has no models of nobody; where it runs on a machine of your own, "
            "TokenPrice(0, 0) says that it costs nothing",
        ),
    ],
)
def test_a_vendor_that_is_not_on_the_list_is_told(vendor, why):
    told = PriceList({}, lambda: (Listed(), NOON), vendor=vendor).why_unknown("m")
    assert told.startswith(f"no price is known for model 'm' ({why}); ")


def test_kinds_of_tokens_without_a_price_are_named():
    listed, _ = prices()
    with pytest.raises(PriceUnknown, match=r"'listed' \(for text, video\)"):
        listed.of("listed", Usage(1, 1, unpriced=("text", "video")))


@pytest.mark.parametrize("kind", ["written_1h_tokens", "audio_input_tokens", "audio_output_tokens"])
def test_what_the_list_would_price_as_something_cheaper_has_no_price(kind):
    listed, _ = prices()
    with pytest.raises(PriceUnknown, match=f"for {kind.replace('_', ' ')}"):
        listed.of("listed", Usage(9, 9, written_tokens=5, **{kind: 1}))
    if kind != "written_1h_tokens":
        with pytest.raises(PriceUnknown, match="gpt-4o-audio-preview"):
            PriceList({}).of("gpt-4o-audio-preview", Usage(9, 9, **{kind: 1}))


def test_the_public_list_knows_sound():
    listed = PriceList({})
    used = Usage(1_000, 100, 300, audio_input_tokens=500, audio_output_tokens=50)
    text = 200 * 4_000 + 300 * 400 + 50 * 16_000
    assert listed.of("gpt-realtime", used) == text + 500 * 32_000 + 50 * 64_000
    worst = listed.worst("gpt-realtime", 1_000, 100, audio_tokens=500)
    assert worst == 500 * 4_000 + 500 * 32_000 + 100 * 16_000


def test_the_public_list_knows_what_is_written_for_minutes_and_for_an_hour():
    price = get_snapshot()
    listed = PriceList({}, lambda: (Anthropic(price), datetime.now(UTC)))
    used = Usage(1_000, 0, 100, 600, written_1h_tokens=200)
    assert listed.of("claude-haiku-4-5", used) == (300 * 10 + 100 + 400 * 12.5 + 200 * 20) * 100
    assert listed.worst("claude-haiku-4-5", 1_000, 0) == 1_000 * 2_000
    long = Usage(200_001, 0)
    assert listed.of("claude-sonnet-4-5", long) == 200_001 * 6_000


def test_the_worst_is_input_that_is_written_to_a_cache():
    listed, _ = prices()
    assert listed.worst("listed", 10, 3) == (10 * WRITTEN_MICRO + 3 * OUT_MICRO) * 1000
    assert OWN.worst("own", 10, 3) == OWN.quote("own", 10, 3)


def test_tokens_that_may_be_input_or_output_cost_what_the_dearer_does():
    listed, _ = prices()
    assert listed.worst_quote("listed", 10) == 10 * OUT_MICRO * 1000
    dear_input = PriceList({"own": TokenPrice(Decimal(9), Decimal(4))})
    assert dear_input.worst_quote("own", 10) == 90_000


@pytest.mark.parametrize(
    ("told", "asked", "is_open", "tier"),
    [
        ("flex", "priority", True, "flex"),
        ("", "priority", True, "priority"),
        ("", "flex", False, "flex"),
        ("", "auto", False, "priority"),
        ("auto", "", True, "priority"),
        ("", "", True, "priority"),
        ("", "", False, ""),
        ("", "default", True, ""),
    ],
)
def test_who_does_not_say_in_which_tier_it_answered_may_have_in_any_that_was_asked(
    told, asked, is_open, tier
):
    prices = PriceList({}, is_tier_open=is_open).pin()
    dearer = prices.quote("gpt-5", 900, 90, tier)
    usage = Usage(900, 90, tier=told)
    assert prices.charge("gpt-5", usage, 0, asked).cost_nano_usd == dearer
    # Another model may have answered, which is dearer.
    by_other = replace(usage, model="gpt-5")
    assert prices.charge("gpt-5-mini", by_other, 0, asked).cost_nano_usd == dearer


def test_a_tier_that_is_left_open_may_be_the_dearest():
    standard, server = PriceList({}), PriceList({}, is_tier_open=True).pin()
    for tier in ("auto", ""):
        assert server.worst("gpt-5", 900, 90, tier) == standard.worst("gpt-5", 900, 90, "priority")
    assert server.worst("gpt-5", 900, 90, "default") == standard.worst("gpt-5", 900, 90)
    assert standard.worst("gpt-5", 900, 90, "auto") > standard.worst("gpt-5", 900, 90, "")
    assert server.worst("gpt-5-nano", 900, 90) == standard.worst("gpt-5-nano", 900, 90)
    assert server.quote("gpt-5", 900, 90) == standard.quote("gpt-5", 900, 90)
    own = PriceList({"gpt-5": TokenPrice(Decimal(1), Decimal(4))}, is_tier_open=True)
    assert own.worst("gpt-5", 900, 90) == own.quote("gpt-5", 900, 90)


def test_of_tiers_of_ones_own_only_a_dearer_one_counts_where_it_is_left_open():
    """One that costs the same may have no price for sound, and nobody asks it."""
    tiers = {"flex": TokenPrice(1, 4), "priority": TokenPrice(1, 9, audio_input_usd=2)}
    own = {"own": TokenPrice(1, 4, audio_input_usd=2, tiers=tiers)}
    server = PriceList(own, is_tier_open=True)
    assert server.knows("own")
    assert server.worst("own", 100, 10, audio_tokens=20) == 80_000 + 20 * 2_000 + 90_000
    assert server.worst("own", 100, 10, "flex") == 100_000 + 40_000


def test_an_own_price_asks_no_list_and_knows_every_tier():
    public = Listed()
    own = PriceList({"own": TokenPrice(Decimal(1), Decimal(4))}, lambda: (public, NOON))
    assert own.of("own", Usage(2, 3, 1, 1, "flex")) == 14_000
    assert own.knows("own", "flex")
    assert public.asked == []


def test_pinned_prices_are_looked_up_once():
    looked = []

    def listed():
        looked.append(NOON)
        return Listed(), NOON

    pinned = PriceList({}, listed).pin()
    assert pinned.quote("listed", 1, 0) == pinned.quote("listed", 1, 0) == 2_000
    assert len(looked) == 1


def test_the_public_list_is_of_now():
    _, now = public_list()
    assert abs((datetime.now(UTC) - now).total_seconds()) < 60


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 200), st.integers(0, 5))
def test_the_most_that_is_affordable_is_found_where_a_long_context_costs_more(
    most, limit, step, dearer
):
    def quote(tokens: int) -> int:
        return tokens if tokens < step else tokens * (1 + dearer)

    fitting = [tokens for tokens in range(most + 1) if quote(tokens) <= limit]
    assert most_affordable(most, limit, quote) == max(fitting, default=0)


@pytest.mark.parametrize("limit", [0, 1, 7, 8, 9])
def test_every_token_that_is_affordable_is_found(limit):
    assert most_affordable(9, limit, lambda tokens: tokens) == limit


def test_where_not_even_nothing_is_affordable_it_is_nothing():
    assert most_affordable(5, -1, lambda tokens: tokens) == 0
    assert most_affordable(0, -1, lambda tokens: tokens) == 0


def test_an_own_price_goes_before_the_list_and_rounds_up():
    assert OWN.quote("own", 1, 0) == 1_000
    assert OWN.quote("own", 0, 1) == 4_000
    assert PriceList({"own": TokenPrice(Decimal("0.0001"), Decimal(0))}).quote("own", 1, 0) == 1
    assert FREE.quote("own", 10**6, 10**6) == 0


def test_the_public_list_knows_cached_input():
    listed = PriceList({})
    assert listed.quote("gpt-5", 1_000_000, 0) == 1_250_000_000
    assert listed.of("gpt-5", Usage(1_000_000, 0, 1_000_000)) == 125_000_000
    with pytest.raises(PriceUnknown, match="no price is known for model 'nobody-knows'"):
        listed.quote("nobody-knows", 1, 1)
