"""What a call costs, from the user's own prices or from the public list of genai-prices."""

from collections.abc import Mapping
from decimal import Decimal

from thrifty.budget import PriceUnknown
from thrifty.budget.money import quote_nano_usd
from thrifty.settings import TokenPrice

PROVIDER = "openai"
TOKENS_PER_QUOTE = 1_000_000


class PriceList:
    """Prices by model: the user's own first, then the public list."""

    def __init__(self, own: Mapping[str, TokenPrice]) -> None:
        self._own = own

    def quote(
        self, model: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0
    ) -> int:
        """The price of a call in nano-USD, rounded up.

        Args:
            model: as it would be sent.
            input_tokens: all of them, cached ones included.
            output_tokens: all of them, reasoning included.
            cached_tokens: how many of the input were read from the provider's cache.

        Raises:
            PriceUnknown: neither list knows the model.
        """
        if (own := self._own.get(model)) is not None:
            usd = own.input_usd * input_tokens + own.output_usd * output_tokens
            return quote_nano_usd(usd / TOKENS_PER_QUOTE)
        return quote_nano_usd(_listed_usd(model, input_tokens, output_tokens, cached_tokens))

    def worst_quote(self, model: str, tokens: int) -> int:
        """The price of so many tokens, whichever way they fall on input and output."""
        return max(self.quote(model, tokens, 0), self.quote(model, 0, tokens))

    def knows(self, model: str) -> bool:
        """Whether the model has a price."""
        return not self.why_unknown(model)

    def why_unknown(self, model: str) -> str:
        """Why the model has no price, and the remedy; empty when it has one."""
        try:
            self.quote(model, 1, 1)
        except PriceUnknown as error:
            return str(error)
        return ""


def _listed_usd(model: str, input_tokens: int, output_tokens: int, cached_tokens: int) -> Decimal:
    from genai_prices import Usage, calc_price  # 0.2 s: only when something is priced

    usage = Usage(
        input_tokens=input_tokens, output_tokens=output_tokens, cache_read_tokens=cached_tokens
    )
    try:
        return calc_price(usage, model, provider_id=PROVIDER).total_price
    except (LookupError, ValueError) as error:
        raise PriceUnknown(model, str(error)) from None
