"""A request of somebody else's code, as its client describes it, and the worst it can cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from thrifty.budget import Budget, InvalidInput, PriceUnknown, Spend
from thrifty.models.calls.allowance import OUTPUT_CAP_MIN
from thrifty.models.costs.input_bound import (
    attachments,
    encoding_model,
    input_tokens,
    why_unbounded,
)
from thrifty.models.costs.prices import OPEN_TIER, PriceList
from thrifty.models.costs.use_fees import FEE_REMEDY, use_fee
from thrifty.models.providers.caps import CAP_FIELDS
from thrifty.models.providers.listed_as import NOBODY, listed_as

TOLD_CAP = "ls_max_tokens"
"""Where a client says its cap in the metadata of a call, if nowhere else, as Groq's does."""
RESOURCE = "models/"
"""What Google's client puts before the name of a model."""
ANSWER_FIELDS = ("n", "best_of")
"""What they call how many answers are written, if not all of them are shown."""


@dataclass(frozen=True, slots=True)
class UnmeteredRequest:
    """What LangChain's callbacks learn of a request from its client."""

    model: str
    tier: str
    input_tokens: int
    """The most that its text can be, with what the provider adds."""
    output_tokens: int | None
    """The most that it can answer; None where no cap is sent."""
    is_bounded: bool
    """Whether there is nothing in it but text."""
    fee: str = ""
    """What in it has a fee for each use."""
    vendor: str = NOBODY
    """Whose model it is, as the public price list calls them."""

    @classmethod
    def read(
        cls,
        messages: Mapping[str, Any],
        params: Mapping[str, Any],
        recalled: int | None = 0,
        address: str | None = "",
        told: Mapping[str, Any] = MappingProxyType({}),
    ) -> "UnmeteredRequest":
        """Reads a request.

        Args:
            messages: its messages, as a body in OpenAI's form.
            params: what the client is invoked with.
            recalled: how much reasoning the provider adds; None where nobody knows.
            address: where it is sent, empty for OpenAI's own address; None where nobody knows.
            told: what the model says of itself in the metadata of each of its calls.
        """
        sent = {**params, **(params.get("extra_body") or {})}
        body = {
            **{name: sent.get(name) for name in ("tools", "functions", "response_format")},
            **messages,
        }
        names = sent.get("model"), sent.get("model_name"), told.get("ls_model_name")
        model = str(next(filter(None, names), "")).removeprefix(RESOURCE)
        encoding = "" if address is None else encoding_model(model, address)
        return cls(
            model,
            str(sent.get("service_tier") or OPEN_TIER),
            input_tokens(body, encoding) + (recalled or 0),
            _output_tokens({**sent, TOLD_CAP: told.get(TOLD_CAP)}),
            recalled is not None and not (attachments(body) or why_unbounded({**sent, **body})),
            use_fee(sent),
            listed_as(str(told.get("ls_provider") or "")),
        )

    @property
    def tokens(self) -> int | None:
        """The most that it can use; None where nobody can know."""
        if self.output_tokens is None or not self.is_bounded:
            return None
        return self.input_tokens + self.output_tokens

    def worst_case(self, left: Budget, prices: PriceList, *, is_declared: bool = True) -> Spend:
        """The most that it can use; where nobody can know, all that is left for it.

        Args:
            left: what is left for it.
            prices: what models cost.
            is_declared: whether somebody has declared that it may use all that is left.

        Raises:
            PriceUnknown: money is limited, the model has no price, and nothing was declared.
            InvalidInput: money is limited, and something in it has a fee for each use.
        """
        tokens_left, cost_left, _, _ = left.limits
        if self.fee and cost_left is not None:
            raise InvalidInput("request", self.fee, FEE_REMEDY)
        tokens = self.tokens
        if tokens is None:
            # More than is left, and so refused, where not even the shortest answer fits.
            tokens = max(self.input_tokens + OUTPUT_CAP_MIN, tokens_left or 0)
        declared = cost_left if is_declared or cost_left is None else 0
        prices = prices.of_vendor(self.vendor)
        return Spend(tokens, self._worst_cost(cost_left, declared, prices), tool_calls=1)

    def _worst_cost(self, cost_left: int | None, declared: int | None, prices: PriceList) -> int:
        output = OUTPUT_CAP_MIN if self.output_tokens is None else self.output_tokens
        try:
            cost = prices.worst(self.model, self.input_tokens, output, self.tier)
        except PriceUnknown:
            if declared == 0:
                raise
            return declared or 0  # without a limit on money, no price is needed
        return cost if self.tokens is not None else max(cost, cost_left or 0)


def _output_tokens(sent: Mapping[str, Any]) -> int | None:
    """All answers at the largest cap: of several caps, which one is sent is the client's affair."""
    caps = [
        cap
        for name in (*CAP_FIELDS, TOLD_CAP)
        if isinstance(cap := sent.get(name), int) and cap > 0
    ]
    answers = [number for name in ANSWER_FIELDS if isinstance(number := sent.get(name), int)]
    return max(caps) * max([1, *answers]) if caps else None
