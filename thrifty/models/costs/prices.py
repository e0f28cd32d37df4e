"""What a call costs, from the user's own prices or from the public list of genai-prices."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from thrifty.budget import PriceUnknown
from thrifty.budget.money import quote_nano_usd
from thrifty.models.costs.price_list_age import warn_of_age
from thrifty.models.costs.substitute import is_same_model
from thrifty.models.costs.token_price import STANDARD_TIERS, TOKENS_PER_QUOTE, TokenPrice
from thrifty.models.costs.usage import Usage

OPEN_TIER = "auto"
"""What a request says that leaves its tier to the project, as one does that says nothing."""
ANY_PROVIDER = "litellm"
"""By this name the list looks for a model at whichever vendor its name speaks of."""
GATEWAY = "openrouter"
"""Whose list has names of its own for the models of all others."""
OWN_PRICES = {
    "written_1h_tokens": "cache_write_1h_mtok",
    "audio_input_tokens": "input_audio_mtok",
    "audio_output_tokens": "output_audio_mtok",
}
"""Kinds of tokens that the list prices as others where it does not know what they cost."""
SMALL = Usage(1, 1)
"""What shows whether a model has a price."""
SIDES = Usage(TOKENS_PER_QUOTE, 0), Usage(0, TOKENS_PER_QUOTE)
"""What shows what input costs, and what output."""


def public_list() -> tuple[Any, datetime]:
    """The prices of genai-prices as they stand, and when: some hold only at certain hours."""
    from genai_prices.data_snapshot import get_snapshot  # 0.2 s: only when something is priced

    listed, now = get_snapshot(), datetime.now(UTC)
    warn_of_age(listed, now.date())
    return listed, now


class Charge(NamedTuple):
    """What a call is charged."""

    cost_nano_usd: int
    has_substitute: bool = False
    """Whether another model answered than was asked."""


class PriceList:
    """Prices by model: the user's own first, then the public list.

    Args:
        own: the user's, by model.
        listed: gives the public list, and the moment at which it is asked.
        takes_reported: whether what a gateway says that a call has cost goes before both.
        is_tier_open: whether requests that name no service tier leave it to the server.
        vendor: whose models they are, as the public list calls it. Empty where it does not.
    """

    def __init__(
        self,
        own: Mapping[str, TokenPrice],
        listed: Callable[[], tuple[Any, datetime]] = public_list,
        *,
        takes_reported: bool = False,
        is_tier_open: bool = False,
        vendor: str = "openai",
    ) -> None:
        self._own, self._listed, self._vendor = own, listed, vendor
        self._takes_reported, self._is_tier_open = takes_reported, is_tier_open
        self._tiers: Callable[[str], tuple[str, ...]] = self._dearer_tiers

    def of_vendor(self, vendor: str) -> "PriceList":
        """The prices of a vendor's models, by what the public list calls it."""
        return self._copy(self._own, self._listed, vendor)

    def pin(self) -> "PriceList":
        """The prices of one call: as they stand at its first quote, however they change later.

        So a call is settled at the prices at which it was reserved.
        """
        own = dict(self._own)  # which its owner may change meanwhile
        pinned = self._copy(own, cache(self._listed), self._vendor)
        pinned._tiers = cache(pinned._dearer_tiers)  # it is asked for many lengths of an answer
        return pinned

    def _copy(
        self, own: Mapping[str, TokenPrice], listed: Callable[[], tuple[Any, datetime]], vendor: str
    ) -> "PriceList":
        return PriceList(
            own,
            listed,
            takes_reported=self._takes_reported,
            is_tier_open=self._is_tier_open,
            vendor=vendor,
        )

    def of(self, model: str, usage: Usage) -> int:
        """The price of what a call has used, in nano-USD, rounded up.

        Raises:
            PriceUnknown: neither list knows the model, or the one that does not its tier or a
                kind of tokens.
        """
        if usage.unpriced:
            raise PriceUnknown(model, f"for {', '.join(usage.unpriced)}")
        if (own := self._own.get(model)) is not None:
            return quote_nano_usd(_own_usd(model, own, usage))
        return quote_nano_usd(self._listed_usd(model, usage, self._vendor))

    def charge(
        self,
        model: str,
        usage: Usage,
        reserved_nano_usd: int,
        tier: str = "",
        fees_nano_usd: int = 0,
    ) -> Charge:
        """What a call is charged for what it has used.

        Where another model answered than was asked, such as by a gateway's fallback, that is the
        dearer price of the two. Where the answer does not say in which service tier, it is that of
        the dearest which may have been. Where nobody knows a price, it is what a gateway says that
        the call has cost, or else as much as was held. On request, what a gateway says goes first.

        Args:
            model: who was asked.
            usage: what it used, and who answered.
            reserved_nano_usd: what was held for it.
            tier: the service tier that was asked for.
            fees_nano_usd: what its uses of tools at the provider cost beside its tokens. A gateway
                has that in what it says.
        """
        is_own, reported = model in self._own, usage.reported_nano_usd
        answered = usage.model or model
        if self._takes_reported and reported is not None:
            return Charge(reported)
        try:
            tiers = self._tiers_of_answer(model, usage.tier, tier)
            asked = max(self.of(model, replace(usage, tier=each)) for each in tiers) + fees_nano_usd
        except PriceUnknown:  # such as of another tier than the one that was asked for
            # A gateway that has no price either says that it cost nothing.
            return Charge(reported or reserved_nano_usd)
        if answered == model or (is_own and is_same_model(model, answered)):
            return Charge(asked)
        found = [self._find_anywhere(answered, replace(usage, tier=each)) for each in tiers]
        known = [cost for cost in found if cost is not None]
        if not known:
            # A name that only its user gives a price may be what a server calls its models.
            if is_own or is_same_model(model, answered):
                return Charge(asked)
            return Charge(max(asked, reported or reserved_nano_usd), has_substitute=True)
        cost = max(known) + fees_nano_usd
        is_other = not (is_own or is_same_model(model, answered))
        return Charge(max(asked, cost), is_other or cost > asked)

    def _tiers_of_answer(self, model: str, told: str, asked: str) -> tuple[str, ...]:
        """The service tiers in which an answer may have been given.

        Raises:
            PriceUnknown: the tier is open, and neither list knows the model.
        """
        if told not in ("", OPEN_TIER):
            return (told,)
        is_open = asked == OPEN_TIER or (self._is_tier_open and not asked)
        return (asked, *self._tiers(model)) if is_open else (asked,)

    def _find_anywhere(self, model: str, usage: Usage) -> int | None:
        """What a model costs that was not asked, so that nobody knows whose it is."""
        if model in self._own:
            return self.of(model, usage)
        for provider in (self._vendor, ANY_PROVIDER, GATEWAY):
            try:
                return quote_nano_usd(self._listed_usd(model, usage, provider))
            except PriceUnknown:
                continue
        return None

    def quote(self, model: str, input_tokens: int, output_tokens: int, tier: str = "") -> int:
        """The price of a call with so much input and output, no cache used, as `of` gives it.

        Raises:
            PriceUnknown: as for `of`.
        """
        return self.of(model, Usage(input_tokens, output_tokens, tier=tier))

    def _listed_usd(self, model: str, usage: Usage, provider: str) -> Decimal:
        total: Decimal = self._listed_price(model, usage, provider).total_price
        return total

    def _listed_price(self, model: str, usage: Usage, provider: str) -> Any:
        """What the public list says of what a call has used."""
        from genai_prices import Usage as Counted

        if not provider:
            raise PriceUnknown(model, "the public list has no such vendor")
        counted = Counted(**dict(_listed_counts(usage)))
        listed, now = self._listed()  # one moment for the whole quote
        tier = "" if usage.tier in STANDARD_TIERS else usage.tier
        context = {"service_tier": tier} if tier else None
        try:
            price = listed.calc(counted, model, provider, None, now, context)
        except (LookupError, ValueError) as error:
            raise PriceUnknown(model, _why_unlisted(listed, provider, error)) from None
        if tier and not _has_tier(price.model, tier, now):
            raise PriceUnknown(model, f"in the service tier {tier!r}")
        for kind, own in OWN_PRICES.items():
            if getattr(usage, kind) and getattr(price.model_price, own, None) is None:
                raise PriceUnknown(model, f"for {kind.replace('_', ' ')}")
        return price

    def worst(
        self,
        model: str,
        input_tokens: int,
        output_tokens: int,
        tier: str = "",
        audio_tokens: int = 0,
    ) -> int:
        """The most that so much input and output can cost: writing a cache may cost extra.

        A tier that is left open may be the dearest that the list knows.

        Args:
            model: who is asked.
            input_tokens: all input.
            output_tokens: all output.
            tier: the service tier that is asked for.
            audio_tokens: the part of the input that may be sound.

        Raises:
            PriceUnknown: as for `of`.
        """
        return max(
            self._worst_in_tier(model, input_tokens, output_tokens, each, audio_tokens)
            for each in self._tiers_of_answer(model, "", tier)
        )

    def _worst_in_tier(
        self, model: str, input_tokens: int, output_tokens: int, tier: str, audio_tokens: int
    ) -> int:
        quotes = []
        text = input_tokens - audio_tokens
        for written, hour in ((0, 0), (text, 0), (text, text)):
            usage = Usage(
                input_tokens,
                output_tokens,
                written_tokens=written,
                tier=tier,
                written_1h_tokens=hour,
                audio_input_tokens=audio_tokens,
            )
            try:
                quotes.append(self.of(model, usage))
            except PriceUnknown:
                if not hour:  # who has no price for that does not sell it
                    raise
        if audio_tokens:  # of what may be sound, all may be text as well
            quotes.append(self._worst_in_tier(model, input_tokens, output_tokens, tier, 0))
        return max(quotes)

    def _dearer_tiers(self, model: str) -> tuple[str, ...]:
        """The tiers that cost more than the standard one, in either direction."""
        if (own := self._own.get(model)) is not None:
            tiers = set(own.tiers)
        else:
            entry = self._listed_price(model, SMALL, self._vendor).model
            _, now = self._listed()
            tiers = {str(variant.when["service_tier"]) for variant in _tier_variants(entry, now)}

        def is_dearer(tier: str) -> bool:
            return any(
                self.of(model, replace(side, tier=tier)) > self.of(model, side) for side in SIDES
            )

        return tuple(sorted(tier for tier in tiers if is_dearer(tier)))

    def worst_quote(self, model: str, tokens: int) -> int:
        """The price of so many tokens, whichever way they fall on input and output."""
        return max(self.worst(model, tokens, 0), self.worst(model, 0, tokens))

    def knows(self, model: str, tier: str = "") -> bool:
        """Whether the model has a price."""
        return not self.why_unknown(model, tier)

    def why_unknown(self, model: str, tier: str = "") -> str:
        """Why the model has no price, and the remedy; empty when it has one."""
        try:
            self.of(model, replace(SMALL, tier=tier))
        except PriceUnknown as error:
            return str(error)
        return ""


def most_affordable(most: int, limit_nano_usd: int, quote: Callable[[int], int]) -> int:
    """The most tokens, up to `most`, that a quote prices within a limit.

    A search and no division: beyond some length a long context re-prices the whole request.
    """
    if quote(most) <= limit_nano_usd:
        return most
    return max(0, bisect_right(range(most), limit_nano_usd, key=quote) - 1)


def _why_unlisted(listed: Any, provider: str, error: Exception) -> str:
    if any(each.id == provider for each in listed.providers):
        return str(error)
    free = "where it runs on a machine of your own, TokenPrice(0, 0) says that it costs nothing"
    return f"the public list has no models of {provider}; {free}"


def _has_tier(model: Any, tier: str, now: datetime) -> bool:
    """Whether the list has prices for a tier: for one that it has not, it takes the standard's."""
    return any(variant.when["service_tier"] == tier for variant in _tier_variants(model, now))


def _tier_variants(model: Any, now: datetime) -> Iterator[Any]:
    """The prices of service tiers that hold now."""
    for variant in model.price_variants or ():
        is_active = variant.constraint is None or variant.constraint.active(now)
        if set(variant.when) == {"service_tier"} and is_active:
            yield variant


def _own_usd(model: str, own: TokenPrice, usage: Usage) -> Decimal:
    price = own.of_call(usage.input_tokens, usage.tier)
    if price is None:
        raise PriceUnknown(model, f"in the service tier {usage.tier!r}")
    if (usd := price.usd(usage)) is None:
        raise PriceUnknown(model, "for sound: give audio_input_usd and audio_output_usd")
    return usd


def _listed_counts(usage: Usage) -> Iterator[tuple[str, int]]:
    """A count in the list's own words, without zeros."""
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.written_tokens,
        "cache_write_1h_tokens": usage.written_1h_tokens,
        "input_audio_tokens": usage.audio_input_tokens,
        "output_audio_tokens": usage.audio_output_tokens,
    }
    yield from ((kind, count) for kind, count in counts.items() if count)
    if usage.audio_input_tokens:  # or the list does not know whether the two have a part in common
        yield from ((kind, 0) for kind in ("cache_audio_read_tokens", "cache_audio_write_tokens"))
