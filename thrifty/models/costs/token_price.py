"""What a model costs by the kinds of tokens that providers bill, as its user says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from thrifty.budget import InvalidInput, validate
from thrifty.budget.money import exact_usd
from thrifty.models.costs.usage import Usage
from thrifty.models.costs.written_numbers import read_decimal, read_whole

PRICE_MAX = 1_000_000
PRICE_EXAMPLE = "TokenPrice(0.25, 2)"
STANDARD_TIERS = ("", "auto", "default")
"""What a request may say, or leave out, without asking for another price than the standard one."""


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a model costs, in dollars per million tokens.

    Input and output are enough where the model has no other price. A float counts as the shortest
    decimal that names it.

    Raises:
        InvalidInput: a price is no number from 0 to a million, or a long input has no price.
    """

    input_usd: Decimal
    output_usd: Decimal
    """Reasoning included."""
    cached_usd: Decimal | None = None
    """Of input that is read from the provider's cache. By default, that of input."""
    written_usd: Decimal | None = None
    """Of input that is written to it. By default, that of input: name it where writing costs
    extra, as at Anthropic (1.25 times)."""
    written_1h_usd: Decimal | None = None
    """Of input that is written to be kept for an hour. By default, `written_usd`."""
    audio_input_usd: Decimal | None = None
    """Of sound in the input. Without it, a call with sound has no price, unless input is free."""
    audio_output_usd: Decimal | None = None
    """Of sound in the output, likewise."""
    long_above: int | None = None
    """A call whose input has more tokens than this costs `long`, all of it."""
    long: "TokenPrice | None" = None
    """What such a call costs."""
    tiers: Mapping[str, "TokenPrice"] = field(default_factory=dict, hash=False)
    """What other service tiers cost, by name. Where there are any, one that is not here has no
    price. Where there are none, each costs the same."""

    def __post_init__(self) -> None:
        for side in SIDES.values():
            if (price := getattr(self, side)) is not None or side in NEEDED:
                object.__setattr__(self, side, _usd_per_million(side, price))
        if (self.long_above is None) != (self.long is None):
            raise InvalidInput("long", self.long, "give both long_above and long, or neither")
        if self.long_above is not None:
            validate.amount("long_above", self.long_above)
            validate.instance("long", self.long, TokenPrice, PRICE_EXAMPLE)
        tiers = validate.instance("tiers", self.tiers, Mapping, f'{{"flex": {PRICE_EXAMPLE}}}')
        for tier, price in tiers.items():
            validate.instance(f"tiers.{tier}", price, TokenPrice, PRICE_EXAMPLE)

    def of_call(self, input_tokens: int, tier: str = "") -> "TokenPrice | None":
        """The price of a call with so much input in a service tier; None where it has none."""
        if tier not in STANDARD_TIERS and self.tiers:
            of_tier = self.tiers.get(tier)
            return None if of_tier is None else of_tier.of_call(input_tokens)
        is_long = self.long_above is not None and input_tokens > self.long_above
        return self.long.of_call(input_tokens) if is_long and self.long else self

    def usd(self, usage: Usage) -> Decimal | None:
        """What such a call has cost, in dollars; None where some of its tokens have no price."""
        audio_in, audio_out = self.audio_input_usd, self.audio_output_usd
        if audio_in is None and (not self.input_usd or not usage.audio_input_tokens):
            audio_in = self.input_usd
        if audio_out is None and (not self.output_usd or not usage.audio_output_tokens):
            audio_out = self.output_usd
        if audio_in is None or audio_out is None:
            return None
        written = _first(self.written_usd, self.input_usd)
        rows = (
            (usage.plain_input_tokens, self.input_usd),
            (usage.cached_tokens, _first(self.cached_usd, self.input_usd)),
            (usage.written_tokens - usage.written_1h_tokens, written),
            (usage.written_1h_tokens, _first(self.written_1h_usd, written)),
            (usage.audio_input_tokens, audio_in),
            (usage.output_tokens - usage.audio_output_tokens, self.output_usd),
            (usage.audio_output_tokens, audio_out),
        )
        return sum((count * price for count, price in rows), Decimal()) / TOKENS_PER_QUOTE

    def to_state(self) -> dict[str, Any]:
        """What `read_price` reads: the prices that are set, as plain data."""
        state: dict[str, Any] = {}
        for name, side in SIDES.items():
            if (price := getattr(self, side)) is not None:
                state[name] = str(price)
        if self.long is not None:
            state["long"] = {ABOVE: self.long_above, **self.long.to_state()}
        if self.tiers:
            state["tiers"] = {tier: price.to_state() for tier, price in self.tiers.items()}
        return state


TOKENS_PER_QUOTE = 1_000_000
SIDES = {
    each.name.removesuffix("_usd"): each.name
    for each in fields(TokenPrice)
    if each.name.endswith("_usd")
}
"""The prices, by what a file or a variable calls them: `cached` for `cached_usd`."""
NEEDED = ("input_usd", "output_usd")
ABOVE = "above"


def read_price(field: str, given: object) -> TokenPrice:
    """Reads a price from a mapping with `input`, `output` and, where it has more, their names.

    Args:
        field: what an error calls it.
        given: `cached`, `written`, `written_1h`, `audio_input` and `audio_output` are numbers,
            `long` is a price with `above`, and `tiers` has prices by name.

    Raises:
        InvalidInput: it is no such mapping, or a price is no number from 0 to a million.
    """
    sides = dict(validate.record(field, given, (*SIDES, "long", "tiers")))
    above, long, tiers = None, sides.pop("long", None), sides.pop("tiers", None)
    if long is not None:
        long = dict(validate.record(f"{field}.long", long, (ABOVE, *SIDES)))
        above = validate.amount(f"{field}.long.{ABOVE}", read_whole(long.pop(ABOVE, None)))
        long = read_price(f"{field}.long", long)
    if tiers is not None and not isinstance(tiers, Mapping):
        raise InvalidInput(f"{field}.tiers", tiers, "give prices by the name of a service tier")
    by_tier = {name: read_price(f"{field}.tiers.{name}", t) for name, t in (tiers or {}).items()}
    wanted = {name: sides.get(name) for name in SIDES if name in sides or SIDES[name] in NEEDED}
    prices = {
        SIDES[name]: _usd_per_million(f"{field}.{name}", read_decimal(usd))
        for name, usd in wanted.items()
    }
    return TokenPrice(**prices, long_above=above, long=long, tiers=by_tier)


def check_prices(prices: object) -> None:
    """Checks prices by model name.

    Raises:
        InvalidInput: they are no mapping, or a price is no `TokenPrice`.
    """
    example = f'{{"llama3": {PRICE_EXAMPLE}}}'
    for model, price in validate.instance("prices", prices, Mapping, example).items():
        validate.instance(f"prices.{model}", price, TokenPrice, PRICE_EXAMPLE)


def _usd_per_million(field: str, price: object) -> Decimal:
    remedy = f"use dollars per million tokens, 0 to {PRICE_MAX:,}"
    return exact_usd(field, price, PRICE_MAX, remedy)


def _first(price: Decimal | None, default: Decimal) -> Decimal:
    return default if price is None else price
