"""What a call really used, as the provider counted it; `None` where its count is no count."""

from dataclasses import dataclass
from typing import Any, TypeGuard


@dataclass(frozen=True, slots=True)
class Usage:
    """A provider's count of one call."""

    input_tokens: int
    """All input, cached included."""
    output_tokens: int
    """All output, reasoning included."""
    cached_tokens: int = 0
    """The part of the input that was read from the provider's cache."""

    @property
    def tokens(self) -> int:
        """What a limit on tokens limits."""
        return self.input_tokens + self.output_tokens


def read_usage(message: Any) -> Usage | None:
    """The usage that came with a message of LangChain's; None when it is missing or absurd.

    Absurd is: negative, not whole, or no tokens at all for a call that was answered.
    """
    given = getattr(message, "usage_metadata", None) or {}
    tokens_in, tokens_out = given.get("input_tokens"), given.get("output_tokens")
    cached = _cached(given.get("input_token_details") or {})
    if not (_is_count(tokens_in) and _is_count(tokens_out) and _is_count(cached)):
        return None
    if tokens_in == 0 or (tokens_out == 0 and (message.content or message.tool_calls)):
        return None
    return Usage(tokens_in, tokens_out, min(cached, tokens_in))


def _cached(details: dict[str, Any]) -> Any:
    """The cached part, under whatever name a service tier gives it (`flex_cache_read`)."""
    return next((details[key] for key in details if key.endswith("cache_read")), 0)


def _is_count(count: Any) -> TypeGuard[int]:
    return isinstance(count, int) and not isinstance(count, bool) and count >= 0
