"""What the clients of LangChain call an output cap, and where one may stand."""

from collections.abc import Iterable, Mapping
from typing import Any

from thrifty.budget import InvalidInput

CAP_FIELDS = (
    *("max_completion_tokens", "max_output_tokens", "max_tokens", "max_tokens_to_sample"),
    *("max_new_tokens", "num_predict", "maxOutputTokens", "maxTokens"),
)
"""What an output cap is called, by one client of LangChain's or another."""
WITHIN = ("extra_body", "generation_config")
"""Arguments that hold others, which go out as well, and before those beside them."""


def without_caps(options: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a call, or of a model, without any output cap in them."""
    kept = dict(options)
    for field in CAP_FIELDS:
        kept.pop(field, None)
    for name in WITHIN:
        if isinstance(kept.get(name), Mapping):
            kept[name] = without_caps(kept[name])
    return kept


def read_caps(caps: Iterable[Any]) -> Iterable[int]:
    """Those of these that were set.

    Raises:
        InvalidInput: one is no number of tokens.
    """
    for cap in caps:
        if cap is None:
            continue
        if not isinstance(cap, int) or isinstance(cap, bool) or cap < 1:
            raise InvalidInput("max_tokens", cap, "use a whole number from 1")
        yield cap
