"""What a call really used, as the provider counted it, or `None` where its count is absurd."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeGuard

from thrifty.budget.plain_text import single_line
from thrifty.models.costs.reported_cost import REPORTED_USAGE, read_reported_cost

TIERS = ("flex", "priority")
"""Tiers whose names langchain-openai puts before the kinds of tokens: `flex_cache_read`."""
COUNT_MAX = 10**9
"""A hundred times the longest context there is: no count of one call is larger."""
WRITTEN_5M, WRITTEN_1H = "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"
"""What Anthropic calls input that is kept for five minutes, and for an hour."""
KNOWN_KINDS = ("cache_read", "cache_creation", WRITTEN_5M, WRITTEN_1H, "audio", "reasoning", *TIERS)
"""Kinds of tokens that have a price of their own, or that of input or output."""
MODEL_FIELDS = ("model_name", "model")
"""Where the clients of LangChain say who answered."""
NAME_MAX = 200
REPEATED = re.compile(r"(.+?)\1+")
"""What comes of a name that is in several pieces of a stream, as LangChain adds up texts."""


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
    """Kinds of tokens in it that have no price of their own anywhere, such as video."""
    model: str = ""
    """Who answered, as the server says; empty when nothing was said of it."""
    written_1h_tokens: int = 0
    """The part of what was written that is kept for an hour, and not for some minutes."""
    audio_input_tokens: int = 0
    """The part of the input that is sound."""
    audio_output_tokens: int = 0
    """The part of the output that is."""
    reported_nano_usd: int | None = None
    """What a gateway says that it has cost; None where it does not say."""
    uses: Mapping[str, int] | None = field(default=None, hash=False)
    """How often tools were used that run at the provider, by kind; None where nobody counted."""

    @property
    def plain_input_tokens(self) -> int:
        """Input that has the price of input: neither sound, nor from a cache or into it."""
        apart = self.cached_tokens + self.written_tokens + self.audio_input_tokens
        return self.input_tokens - apart

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
    if not (_is_count(tokens_in) and _is_count(tokens_out)):
        return None
    if tokens_in == 0 or (tokens_out == 0 and (_has_content(message) or message.tool_calls)):
        return None
    details_in = given.get("input_token_details") or {}
    details_out = given.get("output_token_details") or {}
    parts = _read_parts(details_in, details_out)
    if not parts.are_counts:
        return None
    output = _all_output(given, tokens_in, tokens_out)
    details, told = {**details_out, **details_in}, message.response_metadata
    tier = next((tier for tier in TIERS if tier in details), "")
    return replace(
        _fit(parts, tokens_in, output),
        tier=_read_name(told.get("service_tier")) or tier,
        unpriced=_unpriced_kinds((details_in, details_out)),
        model=next(filter(None, map(_read_name, map(told.get, MODEL_FIELDS))), ""),
        reported_nano_usd=read_reported_cost(told.get(REPORTED_USAGE)),
    )


def _has_content(message: Any) -> bool:
    """Whether anything is in an answer: some APIs send an empty text as a block."""
    blocks = message.content if isinstance(message.content, list) else [message.content]
    texts = [b.get("text") if _is_text(b) else b for b in blocks]
    return any(texts)


def _is_text(block: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(block, Mapping) and block.get("type") in ("text", "output_text")


class _Parts(NamedTuple):
    """The parts of input and output that have prices of their own."""

    cached: Any
    written: Any
    hour: Any = 0
    audio_in: Any = 0
    audio_out: Any = 0

    @property
    def are_counts(self) -> bool:
        return all(map(_is_count, self))


def _read_parts(details_in: Mapping[str, Any], details_out: Mapping[str, Any]) -> _Parts:
    written, hour = _kind(details_in, "cache_creation"), _kind(details_in, WRITTEN_1H)
    minutes = _kind(details_in, WRITTEN_5M)
    if all(map(_is_count, (written, hour, minutes))):
        written = max(written, hour + minutes)  # who says both counts the same tokens again
    audio = _kind(details_in, "audio"), _kind(details_out, "audio")
    return _Parts(_kind(details_in, "cache_read"), written, hour, *audio)


def _fit(parts: _Parts, tokens_in: int, tokens_out: int) -> Usage:
    """Whatever a server says, the parts are no more than the whole. The dearest go first."""
    audio = min(parts.audio_in, tokens_in)
    cached = min(parts.cached, tokens_in - audio)
    written = min(parts.written, tokens_in - audio - cached)
    return Usage(
        tokens_in,
        tokens_out,
        cached,
        written,
        written_1h_tokens=min(parts.hour, written),
        audio_input_tokens=audio,
        audio_output_tokens=min(parts.audio_out, tokens_out),
    )


def _unpriced_kinds(sides: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    counted = {kind for details in sides for kind, count in details.items() if count}
    return tuple(sorted(kind for kind in counted if _plain(kind) not in KNOWN_KINDS))


def read_token_usage(counted: Mapping[str, Any]) -> Usage | None:
    """A count in OpenAI's own words, as LangChain hands on that of several answers together."""
    tokens_in, tokens_out = counted.get("prompt_tokens"), counted.get("completion_tokens")
    if not (_is_count(tokens_in) and _is_count(tokens_out)) or tokens_in == 0:
        return None
    details_in = counted.get("prompt_tokens_details") or {}
    details_out = counted.get("completion_tokens_details") or {}
    parts = _Parts(
        details_in.get("cached_tokens") or 0,
        details_in.get("cache_write_tokens") or 0,
        audio_in=details_in.get("audio_tokens") or 0,
        audio_out=details_out.get("audio_tokens") or 0,
    )
    if not parts.are_counts:
        return None
    usage = _fit(parts, tokens_in, _all_output(counted, tokens_in, tokens_out))
    return replace(usage, reported_nano_usd=read_reported_cost(counted))


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


def _read_name(given: Any) -> str:
    """A name that a server says, once: as a stream has it in several pieces, it stands there as
    often."""
    name = single_line(given)[:NAME_MAX] if isinstance(given, str) else ""
    repeated = REPEATED.fullmatch(name)
    return repeated[1] if repeated else name


def _plain(kind: str) -> str:
    """The name of a kind of tokens without its tier."""
    tier, _, bare = kind.partition("_")
    return bare if tier in TIERS and bare else kind


def _is_count(count: Any) -> TypeGuard[int]:
    return isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= COUNT_MAX
