"""What a gateway says that a call has cost, in its answer or in a header of it.

OpenRouter says it in `usage.cost`, with `cost_details` where the model was paid with a key of one's
own. LiteLLM's proxy says it in a header and, in streams, in `usage.cost` where it is set up to.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.budget.money import exact_usd, quote_nano_usd

REPORTED_USAGE = "token_usage"
"""Where an answer of LangChain's has the count in the server's own words."""
COST_HEADER = "x-litellm-response-cost"
COST_FIELD = "cost"
COST_USD_MAX = 10_000
"""No call costs more. What is said to is no cost."""


def with_cost_header(counted: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Any:
    """A count in the server's own words, with the cost that stands in a header of the answer."""
    said = headers.get(COST_HEADER)
    return {COST_FIELD: said, **(counted or {})} if said else counted


def read_reported_cost(counted: Any) -> int | None:
    """The cost in a count in the server's own words, in nano-USD, rounded up.

    Returns:
        None where nothing is said, or what cannot be a cost.
    """
    if not isinstance(counted, Mapping) or (usd := _usd(counted.get(COST_FIELD))) is None:
        return None
    if counted.get("is_byok") is True:  # then the vendor bills the rest
        details = counted.get("cost_details")
        upstream = details.get("upstream_inference_cost") if isinstance(details, Mapping) else None
        if (more := _usd(upstream)) is None:
            return None
        usd += more
    return quote_nano_usd(usd)


def _usd(said: Any) -> Decimal | None:
    if isinstance(said, str):
        try:
            said = float(said)
        except ValueError:
            return None
    try:
        return exact_usd(COST_FIELD, said, COST_USD_MAX, "")
    except InvalidInput:
        return None
