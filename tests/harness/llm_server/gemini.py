"""Gemini's generateContent: what is sent back."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.harness.llm_server import tokens
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.gemini_question import either, read, signature
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.usage import Bill

PATH = re.compile(
    r"/v1(?:beta\d*)?/(?:projects/[^/]+/locations/[^/]+/publishers/google/)?"
    r"models/([^/:]+):(generateContent|streamGenerateContent)"
)
"""Of Gemini's own API, and of Vertex's."""
FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}
STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
SUMMARY = "It has to be thought about."
"""What is shown of a thought, which is billed whole."""


@dataclass(frozen=True)
class GenerateContent:
    """`POST /v1beta/models/{model}:generateContent`, and the same as a stream."""

    model: str
    """Who is asked, as the path says."""
    stream: bool

    @property
    def api(self) -> Api:
        """Its name in the records."""
        return "gemini"

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        return read(body, self.model, stream=self.stream)

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        if reply.is_blocked:
            return _blocked(reply)
        candidate = {**_content(list(_parts(reply))), "finishReason": FINISH_REASONS[reply.finish]}
        return _response(reply, reply.usage, [{**candidate, "index": 0}])

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        return [Event(_blocked(reply))] if reply.is_blocked else list(_events(reply))

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent."""
        return f"data: {json.dumps(event.data)}\r\n\r\n".encode()

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        status = STATUS_NAMES.get(refused.status, "UNKNOWN")
        return {"error": {"code": refused.status, "message": refused.message, "status": status}}


def gemini_dialect(path: str) -> GenerateContent | None:
    """The API of a path; None for one that is none of Gemini's."""
    found = PATH.fullmatch(path)
    return GenerateContent(found[1], found[2].startswith("stream")) if found else None


def usage_object(bill: Bill) -> JSON:
    """The bill as this API writes it: thought stands beside what is shown."""
    told = {
        "promptTokenCount": bill.input_tokens,
        "candidatesTokenCount": bill.output_tokens - bill.reasoning_tokens,
        "thoughtsTokenCount": bill.reasoning_tokens,
        "cachedContentTokenCount": bill.cached_input_tokens,
        "totalTokenCount": bill.total_tokens,
    }
    sides = {"TEXT": bill.input_tokens - bill.audio_input_tokens, "AUDIO": bill.audio_input_tokens}
    details = [{"modality": kind, "tokenCount": count} for kind, count in sides.items() if count]
    return {name: count for name, count in told.items() if count} | {"promptTokensDetails": details}


def _response(reply: Reply, usage: Bill | None, candidates: list[JSON]) -> JSON:
    counted = {} if usage is None else {"usageMetadata": usage_object(usage)}
    answer = {"modelVersion": reply.model, "responseId": f"resp-{reply.number:06d}"}
    return {"candidates": candidates, **counted, **answer}


def _blocked(reply: Reply) -> JSON:
    feedback = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    answer = _response(reply, reply.usage, [])
    return feedback | {name: answer[name] for name in answer if name != "candidates"}


def _content(parts: list[JSON]) -> JSON:
    return {"content": {"role": "model", "parts": parts}}


def _parts(reply: Reply) -> Iterator[JSON]:
    """All parts, each text in one. The first that is no thought carries the signature."""
    if _is_thought_shown(reply):
        yield {"text": SUMMARY, "thought": True}
    for index, part in enumerate(reply.parts):
        yield _part(part, part.text) | _signed(reply, index)


def _signed(reply: Reply, index: int) -> JSON:
    thought = reply.bill.reasoning_tokens
    return {"thoughtSignature": signature(thought)} if thought and index == 0 else {}


def _is_thought_shown(reply: Reply) -> bool:
    config = reply.request.body.get("generationConfig") or {}
    wanted = either(config.get("thinkingConfig") or {}, "includeThoughts")
    return bool(wanted and reply.bill.reasoning_tokens)


def _part(part: Part, text: str) -> JSON:
    if part.function is None:
        return {"text": text}
    try:
        arguments = json.loads(text or "{}")
    except ValueError:  # cut in its middle
        arguments = {}
    return {"functionCall": {"name": part.function, "args": arguments}}


def _events(reply: Reply) -> Iterator[Event]:
    """Each event counts all that was used so far. A function is called in one piece."""
    pieces: list[JSON] = [{"text": SUMMARY, "thought": True}] if _is_thought_shown(reply) else []
    for index, part in enumerate(reply.parts):
        texts = part.pieces if part.function is None else (part.text,)
        for place, text in enumerate(texts):
            pieces.append(_part(part, text) | (_signed(reply, index) if place == 0 else {}))
    shown = 0
    for piece in pieces[:-1]:
        shown += 0 if "thought" in piece else tokens.count(str(piece.get("text") or ""))
        so_far = _so_far(reply.usage, shown)
        yield Event(_response(reply, so_far, [_content([piece])]), is_piece="thought" not in piece)
    end = {**_content(pieces[-1:]), "finishReason": FINISH_REASONS[reply.finish], "index": 0}
    yield Event(_response(reply, reply.usage, [end]), is_piece=bool(pieces))


def _so_far(usage: Bill | None, shown: int) -> Bill | None:
    if usage is None:
        return None
    output = min(usage.output_tokens, usage.reasoning_tokens + shown)
    return Bill(usage.input_tokens, output, usage.reasoning_tokens, usage.cached_input_tokens)
