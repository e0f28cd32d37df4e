"""Prices of one's own: each kind of tokens has one, in Python, in a file and in variables."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty import InvalidInput, Model, PriceUnknown, TokenPrice
from thrifty.models.costs.prices import PriceList
from thrifty.models.costs.token_price import SIDES, check_prices, read_price
from thrifty.models.costs.usage import Usage

FULL = TokenPrice(
    10, 50, 1, 12.5, 20, 100, 200, 1_000, TokenPrice(20, 75, 2), {"flex": TokenPrice(5, 25)}
)
STATE = {
    **{"input": "10", "output": "50", "cached": "1", "written": "12.5", "written_1h": "20"},
    **{"audio_input": "100", "audio_output": "200"},
    "long": {"above": 1_000, "input": "20", "output": "75", "cached": "2"},
    "tiers": {"flex": {"input": "5", "output": "25"}},
}
PLAIN = TokenPrice(10, 50)


def micro(price: TokenPrice, *counts: int, **kinds: object) -> int:
    """What a call costs, in micro-USD, as a price list with this price alone says it."""
    nano = PriceList({"own": price}).of("own", Usage(*counts, **kinds))
    assert nano % 1_000 == 0
    return nano // 1_000


@pytest.mark.parametrize(
    ("kinds", "cost"),
    [
        ({}, 100 * 10),
        ({"cached_tokens": 40}, 60 * 10 + 40),
        ({"written_tokens": 40}, 60 * 10 + 500),
        ({"written_tokens": 40, "written_1h_tokens": 10}, 60 * 10 + 375 + 200),
        ({"audio_input_tokens": 40}, 60 * 10 + 4_000),
        ({"tier": "default"}, 100 * 10),
        ({"tier": "flex"}, 100 * 5),
        (
            {"cached_tokens": 10, "written_tokens": 20, "audio_input_tokens": 30},
            40 * 10 + 10 + 250 + 3_000,
        ),
    ],
)
def test_each_kind_of_input_has_its_price(kinds, cost):
    assert micro(FULL, 100, 0, **kinds) == cost


def test_each_kind_of_output_has_its_price():
    assert micro(FULL, 0, 100) == 5_000
    assert micro(FULL, 0, 100, audio_output_tokens=40) == 60 * 50 + 40 * 200


def test_a_long_input_prices_the_whole_call():
    assert micro(FULL, 1_000, 10) == 10_000 + 500
    assert micro(FULL, 1_001, 10, cached_tokens=1) == 20_000 + 2 + 750


def test_a_tier_and_a_long_input_may_have_prices_of_long_inputs_themselves():
    longer = TokenPrice(20, 75, long_above=2_000, long=TokenPrice(40, 90))
    price = TokenPrice(10, 50, long_above=1_000, long=longer, tiers={"flex": longer})
    assert [price.of_call(tokens).input_usd for tokens in (1_000, 2_000, 2_001)] == [10, 20, 40]
    assert [price.of_call(tokens, "flex").input_usd for tokens in (2_000, 2_001)] == [20, 40]


def test_what_is_not_named_has_the_price_of_its_side():
    assert micro(PLAIN, 100, 0, cached_tokens=50, written_tokens=20, written_1h_tokens=10) == 1_000
    written = TokenPrice(10, 50, written_usd=12)
    assert micro(written, 100, 0, written_tokens=20, written_1h_tokens=10) == 800 + 240
    assert micro(PLAIN, 100, 10, tier="priority") == 1_500


@pytest.mark.parametrize("kind", ["audio_input_tokens", "audio_output_tokens"])
def test_sound_without_a_price_has_none(kind):
    why = r"model 'own' \(for sound: give audio_input_usd and audio_output_usd\);"
    with pytest.raises(PriceUnknown, match=why):
        micro(PLAIN, 10, 10, **{kind: 1})
    assert micro(TokenPrice(0, 0), 10, 10, **{kind: 1}) == 0


def test_a_tier_without_a_price_has_none_where_others_have():
    with pytest.raises(PriceUnknown, match=r"model 'own' \(in the service tier 'priority'\)"):
        micro(FULL, 10, 10, tier="priority")


def test_the_worst_is_the_dearest_that_input_can_be():
    prices = PriceList({"own": FULL, "plain": PLAIN, "cheap": TokenPrice(10, 50, 1, 5)})
    assert prices.worst("own", 100, 10) == (100 * 20 + 500) * 1_000
    assert prices.worst("own", 100, 10, audio_tokens=40) == (60 * 20 + 4_000 + 500) * 1_000
    assert prices.worst("plain", 100, 10) == (1_000 + 500) * 1_000
    assert prices.worst("cheap", 100, 10) == (1_000 + 500) * 1_000
    with pytest.raises(PriceUnknown, match="sound"):
        prices.worst("plain", 100, 10, audio_tokens=40)


def test_sound_that_is_cheaper_than_text_is_no_bound():
    prices = PriceList({"own": TokenPrice(10, 50, audio_input_usd=1)})
    assert prices.worst("own", 100, 0, audio_tokens=40) == 1_000_000


COUNTS = st.integers(0, 2_000)
LONG_TOO = replace(FULL, long=replace(FULL, long_above=None, long=None, input_usd=20))


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.booleans())
def test_no_bill_is_above_the_worst(cached, written, hour, sound, output, is_plain):
    price = PLAIN if is_plain else LONG_TOO
    sound = 0 if is_plain else sound
    total = cached + written + sound + 7
    usage = Usage(
        *(total, output, cached, written),
        written_1h_tokens=min(hour, written),
        audio_input_tokens=sound,
    )
    prices = PriceList({"own": price})
    assert prices.of("own", usage) <= prices.worst("own", total, output, audio_tokens=sound)


def test_a_price_is_plain_data_and_back():
    assert FULL.to_state() == STATE
    assert read_price("price", STATE) == FULL
    model = Model("m", price=FULL)
    assert Model.read("m", model.to_state()) == model
    assert hash(model) == hash(Model("m", price=FULL))
    assert read_price("price", {"input": 1, "output": 2}) == TokenPrice(1, 2)
    assert list(SIDES) == [name for name in STATE if name not in ("long", "tiers")]


USD = "use dollars per million tokens, 0 to 1,000,000"
WHOLE = "use a whole number from 0 to 1,000,000,000,000,000"
SIDE_NAMES = ", ".join(SIDES)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cached": -1}, f"price.cached: got -1; {USD}"),
        ({"written_1h": "much"}, f"price.written_1h: got 'much'; {USD}"),
        ({"cache": 1}, f"price.cache: got 1; known fields: {SIDE_NAMES}, long, tiers"),
        ({"input": None}, f"price.input: got None; {USD}"),
        ({"long": {"input": 1, "output": 2}}, f"price.long.above: got None; {WHOLE}"),
        (
            {"long": {"above": "x", "input": 1, "output": 2}},
            f"price.long.above: got 'x'; {WHOLE}",
        ),
        ({"long": {"above": 5, "input": 1}}, f"price.long.output: got None; {USD}"),
        (
            {"long": {"above": 5, "input": 1, "output": 2, "tiers": {}}},
            f"price.long.tiers: got {{}}; known fields: above, {SIDE_NAMES}",
        ),
        ({"tiers": []}, "price.tiers: got []; give prices by the name of a service tier"),
        ({"tiers": {"flex": {"input": 1}}}, f"price.tiers.flex.output: got None; {USD}"),
    ],
)
def test_what_is_no_price_is_refused_by_its_name(change, told):
    with pytest.raises(InvalidInput) as refusal:
        read_price("price", STATE | change)
    assert str(refusal.value) == told


BOTH = "give both long_above and long, or neither"
A_PRICE = "use a TokenPrice, as in TokenPrice(0.25, 2)"


@pytest.mark.parametrize(
    ("options", "field", "remedy"),
    [
        ({"cached_usd": -1}, "cached_usd", USD),
        ({"audio_output_usd": float("nan")}, "audio_output_usd", USD),
        ({"long_above": 5}, "long", BOTH),
        ({"long": PLAIN}, "long", BOTH),
        ({"long_above": -1, "long": PLAIN}, "long_above", WHOLE),
        ({"long_above": 1, "long": 5}, "long", A_PRICE),
        ({"tiers": {"flex": 5}}, "tiers.flex", A_PRICE),
        ({"tiers": 5}, "tiers", 'use a Mapping, as in {"flex": TokenPrice(0.25, 2)}'),
    ],
)
def test_what_is_no_price_is_refused_in_python(options, field, remedy):
    with pytest.raises(InvalidInput) as refusal:
        TokenPrice(1, 2, **options)
    assert (refusal.value.field, refusal.value.remedy) == (field, remedy)
    given = options[field.partition(".")[0]] if field in options else options.get("long")
    assert field == "tiers.flex" or refusal.value.value is given


@pytest.mark.parametrize(
    ("prices", "told"),
    [
        ([], 'prices: got []; use a Mapping, as in {"llama3": TokenPrice(0.25, 2)}'),
        ({"m": 5}, f"prices.m: got 5; {A_PRICE}"),
    ],
)
def test_prices_that_are_none_are_refused(prices, told):
    with pytest.raises(InvalidInput) as refusal:
        check_prices(prices)
    assert str(refusal.value) == told
    check_prices({"m": PLAIN})


def test_a_number_of_a_variable_is_exact():
    price = read_price("p", {"input": "0.1", "output": "0.30", "long": STATE["long"]})
    assert price.input_usd == Decimal("0.1")
    assert read_price("p", STATE | {"long": STATE["long"] | {"above": "1000"}}) == FULL
