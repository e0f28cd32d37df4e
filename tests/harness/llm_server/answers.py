"""What the server is told to answer."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.harness.llm_server.journal import Request

When = str | Callable[[Request], bool]


@dataclass(frozen=True, kw_only=True)
class Cue:
    """When an entry of the script has its turn."""

    when: When | None = None
    """A text in the prompt, in any case, or a function of the request; None fits always."""
    times: int | None = 1
    """How many requests it answers; None is all that come."""
    delay_ms: int = 0
    """Wait before the first byte of the answer."""

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}; it must be 1 or more, or None for ever")
        if self.delay_ms < 0:
            raise ValueError(f"delay_ms is {self.delay_ms}; it must not be negative")

    def fits(self, request: Request) -> bool:
        """The request is one that this entry may answer."""
        if isinstance(self.when, str):
            return self.when.casefold() in request.prompt.casefold()
        return self.when is None or self.when(request)


@dataclass(frozen=True)
class ToolCall:
    """A call of one function."""

    name: str
    arguments: Mapping[str, Any] | str
    """A string is sent as it is, which need not be JSON."""

    @property
    def arguments_json(self) -> str:
        """The arguments as the client gets them."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


Content = str | Mapping[str, Any] | ToolCall | Sequence[ToolCall]


@dataclass(frozen=True)
class Answer(Cue):
    """One answer of the model. It obeys the request's cap: what does not fit is cut off."""

    content: Content | None = None
    """Text; or a tool call, or several; or a dict in the shape that the request asks for: the
    arguments of the function it forces, else JSON text. None is prose derived from the prompt."""
    tokens: int | None = None
    """Prose of exactly so many tokens, instead of content."""
    reasoning_tokens: int = 0
    """Tokens spent on thought before the content; they count against the cap."""
    cached_input_tokens: int = 0
    """Input that came from the provider's cache, at most all of it."""
    written_input_tokens: int = 0
    """Input that was written to it, at most all the rest."""
    written_1h_input_tokens: int = 0
    """Input that was written to it for an hour, at most all the rest of that."""
    audio_input_tokens: int = 0
    """Input that was sound, at most all the rest of that."""
    audio_output_tokens: int = 0
    """Output that is sound, at most all of it."""
    searches: int = 0
    """How often the model searches the web, if the request lets it."""
    search_tokens: int = 0
    """What it reads of each search, with all that it read before."""
    model: str | None = None
    """Who answers; None is the model that was asked."""
    told_usage: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What a gateway says beside the counts, such as `cost`."""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Further headers of the answer."""
    chunk_tokens: int = 4
    """Tokens in one piece of a stream."""
    chunk_delay_ms: int = 0
    """Wait before each piece of a stream."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.content is not None and self.tokens is not None:
            raise ValueError("an Answer has content or tokens, not both")
        if self.chunk_tokens < 1:
            raise ValueError(f"chunk_tokens is {self.chunk_tokens}; it must be 1 or more")
        parts = (
            *("cached_input", "written_input", "written_1h_input", "audio_input"),
            *("audio_output", "reasoning", "search"),
        )
        amounts = ("tokens", "searches", *(f"{part}_tokens" for part in parts), "chunk_delay_ms")
        for name in amounts:
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must not be negative")
        # Found here, a mistake names the test that made it, not the server's thread.
        if isinstance(self.content, Mapping):
            json.dumps(self.content)
        elif not isinstance(self.content, str | ToolCall | None) and not all(
            isinstance(call, ToolCall) for call in self.content
        ):
            raise TypeError(f"content is text, a dict or tool calls, not {self.content!r}")
