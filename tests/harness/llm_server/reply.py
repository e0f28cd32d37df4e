"""An answer made to fit its request: cut at the cap, counted and billed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.harness.llm_server import prose, tokens
from tests.harness.llm_server.answers import Answer, ToolCall
from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.samples import sample
from tests.harness.llm_server.usage import Bill


@dataclass(frozen=True)
class Part:
    """A text, or a call of a function."""

    pieces: tuple[str, ...]
    """The text, or the arguments, as a stream sends it."""
    whole: bool
    """It was not cut."""
    function: str | None = None
    """The function called; None is a text."""
    call_id: str = ""

    @property
    def text(self) -> str:
        """All pieces together."""
        return "".join(self.pieces)


@dataclass(frozen=True)
class Reply:
    """What the model says, and what it costs."""

    number: int
    """The number of the request."""
    request: Request
    parts: tuple[Part, ...]
    finish: Literal["stop", "length", "tool_calls"]
    bill: Bill
    """What was really used."""
    usage: Bill | None
    """What the reply says was used; None says nothing."""
    model: str
    """Who says it."""
    told_usage: Mapping[str, Any] = field(default_factory=dict)
    """What is said beside the counts."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""
    is_usage_running: bool = False
    """Each piece of a stream says what was used so far, not only the last."""
    is_blocked: bool = False
    """A filter has read the question, and no model answers it."""
    search_tokens: int = 0
    """What the model read of each search."""
    chunk_delay_ms: int = 0

    @property
    def text(self) -> str:
        """The text, without the calls."""
        return "".join(part.text for part in self.parts if part.function is None)

    @property
    def calls(self) -> tuple[Part, ...]:
        """The calls, without the text."""
        return tuple(part for part in self.parts if part.function is not None)

    @property
    def service_tier(self) -> str:
        """The tier that the request asked for."""
        tier = self.request.body.get("service_tier")
        return "default" if tier in (None, "auto") else str(tier)


def compose(request: Request, answer: Answer, *, obeys_cap: bool = True) -> Reply:
    """The reply that gives this answer to this request."""
    cap = request.output_cap if obeys_cap else None
    reasoning = answer.reasoning_tokens if cap is None else min(answer.reasoning_tokens, cap)
    used, parts, whole = reasoning, [], True
    for index, draft in enumerate(drafts(request, answer)):
        cut = tokens.cut(draft.name + draft.text, None if cap is None else cap - used)
        used, whole = used + cut.tokens, whole and cut.whole
        shown = cut.text[len(draft.name) :]
        if cut.whole or shown:
            pieces = tuple(tokens.chunks(shown, answer.chunk_tokens))
            call_id = f"call_{request.number:06d}_{index}" if draft.name else ""
            parts.append(Part(pieces, cut.whole, draft.name or None, call_id))
    called = any(part.function for part in parts)
    bill = _bill(request, answer, used, reasoning)
    return Reply(
        number=request.number,
        request=request,
        parts=tuple(parts),
        finish="length" if not whole else "tool_calls" if called else "stop",
        bill=bill,
        usage=bill,
        model=answer.model or request.model or "",
        told_usage=answer.told_usage,
        headers=answer.headers,
        search_tokens=answer.search_tokens,
        chunk_delay_ms=answer.chunk_delay_ms,
    )


def _bill(request: Request, answer: Answer, used: int, reasoning: int) -> Bill:
    searches = min(answer.searches, request.searches_max)
    read = _read_tokens(request.input_tokens + reasoning, searches, answer.search_tokens)
    read -= reasoning  # which nothing had been written before
    left, parts = read, []
    for wanted in (
        answer.cached_input_tokens,
        answer.written_input_tokens,
        answer.written_1h_input_tokens,
        answer.audio_input_tokens,
    ):
        parts.append(min(wanted, left))
        left -= parts[-1]
    cached, written, hour, audio = parts
    return Bill(
        input_tokens=read,
        output_tokens=used,
        reasoning_tokens=reasoning,
        cached_input_tokens=cached,
        written_input_tokens=written,
        written_1h_input_tokens=hour,
        audio_input_tokens=audio,
        audio_output_tokens=min(answer.audio_output_tokens, used),
        searches=searches,
    )


def _read_tokens(asked: int, searches: int, found: int) -> int:
    """All that a model reads: after each search anew, with what that and those before found."""
    return sum(asked + found * search for search in range(searches + 1))


@dataclass(frozen=True)
class Draft:
    """A part before it is cut: the function's name, empty for a text, and the rest."""

    name: str
    text: str


def drafts(request: Request, answer: Answer) -> list[Draft]:
    """All that the model wants to say."""
    match answer.content:
        case None if answer.tokens is not None:
            return [Draft("", prose.exactly(answer.tokens))]
        case None:
            return [unscripted(request)]
        case str() as text:
            return [Draft("", text)]
        case ToolCall() as call:
            return [Draft(call.name, call.arguments_json)]
        case Mapping() as data:
            return [Draft(request.must_call or "", json.dumps(data, ensure_ascii=False))]
        case calls:
            return [Draft(call.name, call.arguments_json) for call in calls]


def unscripted(request: Request) -> Draft:
    """A sensible answer to a request that nobody scripted one for."""
    question = request.messages[-1].text
    schema = request.answer_schema
    if request.must_call and (tool := request.tool(request.must_call)):
        schema = tool.parameters
    if schema is not None:
        return Draft(request.must_call or "", json.dumps(sample(schema, question)))
    text = prose.about(question, request.output_cap)
    return Draft("", json.dumps({"answer": text}) if request.json_wanted else text)
