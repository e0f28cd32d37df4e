"""What a call costs, from the user's own prices or from the public list of genai-prices."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from thrifty.budget import PriceUnknown
from thrifty.budget.money import quote_nano_usd
from thrifty.models.model import TokenPrice
from thrifty.models.usage import Usage

PROVIDER = "openai"
TOKENS_PER_QUOTE = 1_000_000
OPEN_TIER = "auto"
"""What a request says that leaves its tier to the project, as one does that says nothing."""
STANDARD_TIERS = ("", "auto", "default")
"""What a request may say, or leave out, without asking for another price than the list's."""


def public_list() -> tuple[Any, datetime]:
    """The prices of genai-prices as they stand, and when: some hold only at certain hours."""
    from genai_prices.data_snapshot import get_snapshot  # 0.2 s: only when something is priced

    return get_snapshot(), datetime.now(UTC)


class PriceList:
    """Prices by model: the user's own first, then the public list.

    Args:
        own: the user's, by model.
        listed: the public list, and the moment for which it is asked.
        is_tier_open: whether requests that name no service tier leave it to the server.
    """

    def __init__(
        self,
        own: Mapping[str, TokenPrice],
        listed: Callable[[], tuple[Any, datetime]] = public_list,
        *,
        is_tier_open: bool = False,
    ) -> None:
        self._own, self._listed, self._is_tier_open = own, listed, is_tier_open
        self._tiers: Callable[[str], tuple[str, ...]] = self._dearer_tiers

    def pin(self) -> "PriceList":
        """The prices of one call: as they stand at its first quote, however they change later.

        So a call is settled at the prices at which it was reserved.
        """
        own = dict(self._own)  # which its owner may change meanwhile
        pinned = PriceList(own, cache(self._listed), is_tier_open=self._is_tier_open)
        pinned._tiers = cache(pinned._dearer_tiers)  # it is asked for many lengths of an answer
        return pinned

    def of(self, model: str, usage: Usage) -> int:
        """The price of what a call has used, in nano-USD, rounded up.

        Raises:
            PriceUnknown: neither list knows the model, or the public one not the tier or a kind
                of tokens.
        """
        if usage.unpriced:
            raise PriceUnknown(model, f"for {', '.join(usage.unpriced)}")
        if (own := self._own.get(model)) is not None:
            usd = own.input_usd * usage.input_tokens + own.output_usd * usage.output_tokens
            return quote_nano_usd(usd / TOKENS_PER_QUOTE)
        return quote_nano_usd(self._listed_usd(model, usage))

    def quote(self, model: str, input_tokens: int, output_tokens: int, tier: str = "") -> int:
        """The price of a call with so much input and output, no cache used, as `of` gives it.

        Raises:
            PriceUnknown: as for `of`.
        """
        return self.of(model, Usage(input_tokens, output_tokens, tier=tier))

    def _listed_usd(self, model: str, usage: Usage) -> Decimal:
        from genai_prices import Usage as Counted

        counted = Counted(
            input_tokens=usage.input_tokens or None,
            output_tokens=usage.output_tokens or None,
            cache_read_tokens=usage.cached_tokens or None,
            cache_write_tokens=usage.written_tokens or None,
        )
        listed, now = self._listed()  # one moment for the whole quote
        tier = "" if usage.tier in STANDARD_TIERS else usage.tier
        context = {"service_tier": tier} if tier else None
        try:
            price = listed.calc(counted, model, PROVIDER, None, now, context)
        except (LookupError, ValueError) as error:
            raise PriceUnknown(model, str(error)) from None
        if tier and not _has_tier(price.model, tier, now):
            raise PriceUnknown(model, f"in the service tier {tier!r}")
        total: Decimal = price.total_price
        return total

    def worst(self, model: str, input_tokens: int, output_tokens: int, tier: str = "") -> int:
        """The most that so much input and output can cost: writing a cache may cost extra.

        A tier that is left open may be the dearest that the list knows.

        Raises:
            PriceUnknown: as for `of`.
        """
        costs = [self._worst_in_tier(model, input_tokens, output_tokens, tier)]
        if tier == OPEN_TIER or (self._is_tier_open and not tier):
            for dearer in self._tiers(model):
                costs.append(self._worst_in_tier(model, input_tokens, output_tokens, dearer))
        return max(costs)

    def _worst_in_tier(self, model: str, input_tokens: int, output_tokens: int, tier: str) -> int:
        unwritten = self.quote(model, input_tokens, output_tokens, tier)
        if model in self._own:  # which has no price of its own for a cache
            return unwritten
        usage = Usage(input_tokens, output_tokens, written_tokens=input_tokens, tier=tier)
        return max(unwritten, self.of(model, usage))

    def _dearer_tiers(self, model: str) -> tuple[str, ...]:
        """The tiers that cost more than the standard one, in either direction."""
        if model in self._own:
            return ()
        listed, now = self._listed()
        entry = listed.calc(_one_token(), model, PROVIDER, None, now, None).model
        tiers = {str(variant.when["service_tier"]) for variant in _tier_variants(entry, now)}

        def is_dearer(tier: str) -> bool:
            sides = (TOKENS_PER_QUOTE, 0), (0, TOKENS_PER_QUOTE)
            return any(self.quote(model, *side, tier) > self.quote(model, *side) for side in sides)

        return tuple(sorted(tier for tier in tiers if is_dearer(tier)))

    def worst_quote(self, model: str, tokens: int) -> int:
        """The price of so many tokens, whichever way they fall on input and output."""
        return max(self.worst(model, tokens, 0), self.quote(model, 0, tokens))

    def knows(self, model: str, tier: str = "") -> bool:
        """Whether the model has a price."""
        return not self.why_unknown(model, tier)

    def why_unknown(self, model: str, tier: str = "") -> str:
        """Why the model has no price, and the remedy; empty when it has one."""
        try:
            self.quote(model, 1, 1, tier)
        except PriceUnknown as error:
            return str(error)
        return ""


def most_affordable(most: int, limit_nano_usd: int, quote: Callable[[int], int]) -> int:
    """The most tokens, up to `most`, that a quote prices within a limit.

    A search and no division: beyond some length a long context re-prices the whole request.
    """
    if quote(most) <= limit_nano_usd:
        return most
    low, high = 0, most - 1
    while low < high:
        middle = (low + high + 1) // 2  # rounded up, or two neighbours never meet
        if quote(middle) <= limit_nano_usd:
            low = middle
        else:
            high = middle - 1
    return max(0, low)


def _has_tier(model: Any, tier: str, now: datetime) -> bool:
    """Whether the list has prices for a tier: for one that it has not, it takes the standard's."""
    return any(variant.when["service_tier"] == tier for variant in _tier_variants(model, now))


def _tier_variants(model: Any, now: datetime) -> Iterator[Any]:
    """The prices of service tiers that hold now."""
    for variant in model.price_variants or ():
        is_active = variant.constraint is None or variant.constraint.active(now)
        if set(variant.when) == {"service_tier"} and is_active:
            yield variant


def _one_token() -> Any:
    from genai_prices import Usage as Counted

    return Counted(input_tokens=1)
