"""What a call really used, as the provider counted it, or `None` where its count is absurd."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

TIERS = ("flex", "priority")
"""Tiers whose names langchain-openai puts before the kinds of tokens: `flex_cache_read`."""
COUNT_MAX = 10**9
"""A hundred times the longest context there is: no count of one call is larger."""
KNOWN_KINDS = ("cache_read", "cache_creation", "reasoning", *TIERS)
"""Kinds of tokens that have a price of their own, or that of input or output."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A provider's count of one call."""

    input_tokens: int
    """All input, cached included."""
    output_tokens: int
    """All output, reasoning included."""
    cached_tokens: int = 0
    """The part of the input that was read from the provider's cache."""
    written_tokens: int = 0
    """The part of the input that was written to it."""
    tier: str = ""
    """The service tier that answered; empty when nothing was said of it."""
    unpriced: tuple[str, ...] = ()
    """Kinds of tokens in it that no price list of ours knows, such as audio."""

    @property
    def tokens(self) -> int:
        """What a limit on tokens limits."""
        return self.input_tokens + self.output_tokens


def read_usage(message: Any) -> Usage | None:
    """The usage that came with a message of LangChain's; None when it is missing or absurd.

    Absurd is: negative, not whole, beyond any call, or no tokens at all for one that was answered.
    """
    given = getattr(message, "usage_metadata", None) or {}
    tokens_in, tokens_out = given.get("input_tokens"), given.get("output_tokens")
    details_in = given.get("input_token_details") or {}
    cached, written = _kind(details_in, "cache_read"), _kind(details_in, "cache_creation")
    if not (_is_count(tokens_in) and _is_count(tokens_out)):
        return None
    if not (_is_count(cached) and _is_count(written)):
        return None
    if tokens_in == 0 or (tokens_out == 0 and (message.content or message.tool_calls)):
        return None
    details = {**(given.get("output_token_details") or {}), **details_in}
    tier = next((tier for tier in TIERS if tier in details), "")
    # Whatever a server says, the parts of the input are no more than the whole.
    cached = min(cached, tokens_in)
    return Usage(
        tokens_in,
        _all_output(given, tokens_in, tokens_out),
        cached,
        min(written, tokens_in - cached),
        str(message.response_metadata.get("service_tier") or tier),
        tuple(
            sorted(kind for kind in details if details[kind] and _plain(kind) not in KNOWN_KINDS)
        ),
    )


def read_token_usage(counted: Mapping[str, Any]) -> Usage | None:
    """A count in OpenAI's own words, as LangChain hands on that of several answers together."""
    tokens_in, tokens_out = counted.get("prompt_tokens"), counted.get("completion_tokens")
    if not (_is_count(tokens_in) and _is_count(tokens_out)) or tokens_in == 0:
        return None
    cached = (counted.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(tokens_in, _all_output(counted, tokens_in, tokens_out), min(cached, tokens_in))


def _all_output(counted: Mapping[str, Any], tokens_in: int, tokens_out: int) -> int:
    """What a total has more than its parts is output: some servers leave reasoning out of that."""
    whole = counted.get("total_tokens")
    return max(tokens_out, whole - tokens_in) if _is_count(whole) else tokens_out


def _kind(details: Mapping[str, Any], kind: str) -> Any:
    """One kind of tokens, under whatever name a service tier gives it (`flex_cache_read`)."""
    for key in details:
        if key.endswith(kind):
            return details[key]
    return 0


def _plain(kind: str) -> str:
    """The name of a kind of tokens without its tier."""
    tier, _, bare = kind.partition("_")
    return bare if tier in TIERS and bare else kind


def _is_count(count: Any) -> TypeGuard[int]:
    return isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= COUNT_MAX
