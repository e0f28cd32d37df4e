"""Bedrock's Converse: what is asked, and what is sent back, whole or as a stream of binary frames.

The input is counted as Claude's, with hidden instructions where there are tools.
"""

import json
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import unquote
from zlib import crc32

from tests.harness.llm_server import checks, errors, tokens
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Message, Question, Tool
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.usage import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY, Bill, compact

PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream)")
PARAMETERS = (
    "additionalModelRequestFields additionalModelResponseFieldPaths guardrailConfig "
    "inferenceConfig messages outputConfig performanceConfig projectIdentifier promptVariables "
    "requestMetadata "
    "serviceTier system toolConfig"
)
TEXT_HEADER = 7
"""The type of a frame's header that is a text."""
STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
ERROR_TYPES = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
DENSITY = 1.35
"""How many tokens Claude reads where o200k counts one, and never more than there are bytes."""
TOOLS_TOKENS = 530
"""What it reads before tools that it may call, and what nobody sends."""
ATTACHMENT_TOKENS = 1_200
"""What it reads in an image or a file."""
FILES = ("image", "document", "video", "audio")


@dataclass(frozen=True)
class Converse:
    """`POST /model/{model}/converse`, and the same as a stream."""

    model: str
    """Who is asked, as the path says."""
    stream: bool

    @property
    def api(self) -> Api:
        """Its name in the records."""
        return "bedrock"

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        for name in body:
            if name not in PARAMETERS.split():
                raise Refused(f"The model returned the following errors: extraneous key [{name}]")
        messages = tuple(_messages(body))
        config = checks.section(body, "toolConfig")
        tools = tuple(_tools(checks.items(config, "tools")))
        return Question(
            model=self.model,
            messages=messages,
            stream=self.stream,
            output_cap=_cap(checks.section(body, "inferenceConfig")),
            input_tokens=_input_tokens(body, messages, tools),
            tools=tools,
            must_call=_must_call(checks.section(config, "toolChoice"), tools),
        )

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        content = [_block(part) for part in reply.parts]
        told = {} if reply.usage is None else {"usage": usage_object(reply.usage)}
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": STOP_REASONS[reply.finish],
            "metrics": {"latencyMs": 1},
            **told,
        }

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        return list(_events(reply))

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent."""
        ((kind, data),) = (event.data or {}).items()
        return binary_frame(kind, json.dumps(data).encode())

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        kind = ERROR_TYPES.get(refused.status, "InternalServerException")
        return {"__type": kind, "message": refused.message}


def bedrock_dialect(path: str) -> Converse | None:
    """The API of a path; None for one that is none of Bedrock's."""
    found = PATH.fullmatch(path)
    return Converse(unquote(found[1]), found[2].endswith("stream")) if found else None


def binary_frame(name: str, payload: bytes, kind: str = "event") -> bytes:
    """A message of AWS's event streams: lengths, their checksum, headers, payload, checksum."""
    told = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    headers = b"".join(_header(each, value) for each, value in told.items())
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    beginning = lengths + struct.pack(">I", crc32(lengths)) + headers + payload
    return beginning + struct.pack(">I", crc32(beginning))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return (
        struct.pack("B", len(name))
        + name.encode()
        + struct.pack(">BH", TEXT_HEADER, len(text))
        + text
    )


def usage_object(bill: Bill) -> JSON:
    """The bill as this API writes it: its input is what no cache had to do with."""
    written = bill.written_input_tokens + bill.written_1h_input_tokens
    return {
        "inputTokens": bill.input_tokens - bill.cached_input_tokens - written,
        "outputTokens": bill.output_tokens,
        "totalTokens": bill.total_tokens,
        "cacheReadInputTokens": bill.cached_input_tokens,
        "cacheWriteInputTokens": written,
    }


def _events(reply: Reply) -> Iterator[Event]:
    yield Event({"messageStart": {"role": "assistant"}})
    for place, part in enumerate(reply.parts):
        at = {"contentBlockIndex": place}
        if part.function is not None:
            called = {"toolUse": {"toolUseId": part.call_id, "name": part.function}}
            yield Event({"contentBlockStart": {"start": called, **at}})
        for piece in part.pieces:
            delta: JSON = {"text": piece}
            if part.function is not None:
                delta = {"toolUse": {"input": piece}}
            yield Event({"contentBlockDelta": {"delta": delta, **at}}, is_piece=True)
        yield Event({"contentBlockStop": at})
    yield Event({"messageStop": {"stopReason": STOP_REASONS[reply.finish]}})
    told = {} if reply.usage is None else {"usage": usage_object(reply.usage)}
    yield Event({"metadata": {"metrics": {"latencyMs": 1}, **told}})


def _block(part: Part) -> JSON:
    if part.function is None:
        return {"text": part.text}
    try:
        arguments = json.loads(part.text or "{}")
    except ValueError:  # cut in its middle
        arguments = {}
    return {"toolUse": {"toolUseId": part.call_id, "name": part.function, "input": arguments}}


def _cap(config: JSON) -> int | None:
    cap = config.get("maxTokens")
    if cap is not None and (type(cap) is not int or cap < 1):
        told = "failed to satisfy constraint: Member must have value greater than or equal to 1"
        raise Refused(f"1 validation error detected: Value at 'inferenceConfig.maxTokens' {told}")
    return cap


def _input_tokens(body: JSON, messages: tuple[Message, ...], tools: tuple[Tool, ...]) -> int:
    total = TOKENS_PER_REPLY + sum(TOKENS_PER_MESSAGE + _count(each.text) for each in messages)
    for tool in tools:
        total += _count(compact(tool.as_json()))
    files = sum(kind in FILES for block in _all_blocks(body) for kind in block)
    return total + (TOOLS_TOKENS if tools else 0) + files * ATTACHMENT_TOKENS


def _count(text: str) -> int:
    return min(ceil(DENSITY * tokens.count(text)), len(text.encode("utf-8", "replace")))


def _all_blocks(body: JSON) -> Iterator[JSON]:
    for message in body["messages"]:
        for block in message["content"]:
            yield block
            yield from (block.get("toolResult") or {}).get("content") or ()


def _messages(body: JSON) -> Iterator[Message]:
    if system := checks.items(body, "system"):
        yield Message("system", _joined(system))
    entries = checks.items(body, "messages")
    if not entries:
        raise Refused("A conversation must start with a user message.")
    for entry in entries:
        if entry.get("role") not in ("user", "assistant"):
            raise Refused("Value at 'messages.1.member.role' failed to satisfy enum value set")
        if not entry.get("content"):
            raise Refused("The content field in the Message object is empty.")
        yield Message(entry["role"], _joined(entry["content"]))


def _joined(blocks: list[Any]) -> str:
    return "\n".join(map(_text, blocks))


def _text(block: JSON) -> str:
    if "text" in block:
        return str(block["text"])
    if called := block.get("toolUse"):
        return f"{called['name']}{compact(called['input'])}"
    if returned := block.get("toolResult"):
        return _joined(returned["content"])
    return "" if any(kind in FILES for kind in block) else compact(block)


def _tools(entries: list[Any]) -> Iterator[Tool]:
    for entry in entries:
        if not isinstance(spec := entry.get("toolSpec"), dict):
            raise errors.Refused("This server knows tools with a toolSpec.")
        yield Tool(spec["name"], str(spec.get("description") or ""), spec["inputSchema"]["json"])


def _must_call(choice: JSON, tools: tuple[Tool, ...]) -> str | None:
    if "tool" in choice:
        return str(choice["tool"]["name"])
    return tools[0].name if "any" in choice and tools else None
