"""Anthropic's Messages: what is sent back."""

import json
from collections.abc import Iterator, Sequence

from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.messages_question import read, signature
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.usage import Bill

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
ERROR_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
SUMMARY = "It has to be thought about."
"""What is shown of a thought, which is billed whole."""


class Messages:
    """`POST /v1/messages`."""

    api: Api = "messages"

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        return read(body)

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        usage = {} if reply.usage is None else {"usage": usage_object(reply.usage)}
        end = {"stop_reason": STOP_REASONS[reply.finish]}
        return _message(reply) | {"content": list(_blocks(reply))} | end | usage

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        return list(_events(reply))

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent."""
        data = event.data or {}
        return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        kind = ERROR_KINDS.get(refused.status, "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": refused.message}}


def usage_object(bill: Bill) -> JSON:
    """The bill as this API writes it: its input is what no cache had to do with."""
    kept = {
        "ephemeral_5m_input_tokens": bill.written_input_tokens,
        "ephemeral_1h_input_tokens": bill.written_1h_input_tokens,
    }
    searched = {"server_tool_use": {"web_search_requests": bill.searches}} if bill.searches else {}
    return _counts(bill) | {"cache_creation": kept, "service_tier": "standard"} | searched


def _counts(bill: Bill) -> JSON:
    written = bill.written_input_tokens + bill.written_1h_input_tokens
    return {
        "input_tokens": bill.input_tokens - bill.cached_input_tokens - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": bill.cached_input_tokens,
        "output_tokens": bill.output_tokens,
        "output_tokens_details": {"thinking_tokens": bill.reasoning_tokens},
    }


def _message(reply: Reply) -> JSON:
    return {
        "id": f"msg_{reply.number:06d}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _blocks(reply: Reply) -> Iterator[JSON]:
    if _is_thought_shown(reply):
        signed = signature(reply.bill.reasoning_tokens)
        yield {"type": "thinking", "thinking": SUMMARY, "signature": signed}
    for search in range(reply.bill.searches):
        yield from _search(reply, search)
    for part in reply.parts:
        yield _block(part, part.text)


def _search(reply: Reply, number: int) -> Iterator[JSON]:
    name = f"srvtoolu_{reply.number:06d}_{number}"
    found = {"type": "web_search_result", "url": "https://tea.example", "title": "Tea"}
    found |= {"encrypted_content": "cipher" * reply.search_tokens, "page_age": None}
    yield {"type": "server_tool_use", "id": name, "name": "web_search", "input": {"query": "tea"}}
    yield {"type": "web_search_tool_result", "tool_use_id": name, "content": [found]}


def _is_thought_shown(reply: Reply) -> bool:
    thinking = reply.request.body.get("thinking") or {}
    is_on = thinking.get("type") in ("enabled", "adaptive")
    return is_on and bool(reply.bill.reasoning_tokens)


def _block(part: Part, text: str) -> JSON:
    if part.function is None:
        return {"type": "text", "text": text}
    try:
        arguments = json.loads(text or "{}")
    except ValueError:  # cut in its middle
        arguments = {}
    call_id = part.call_id.replace("call_", "toolu_")
    return {"type": "tool_use", "id": call_id, "name": part.function, "input": arguments}


def _events(reply: Reply) -> Iterator[Event]:
    begun = (
        {} if reply.usage is None else {"usage": usage_object(reply.usage) | {"output_tokens": 1}}
    )
    yield Event({"type": "message_start", "message": _message(reply) | begun})
    yield Event({"type": "ping"})
    index = 0
    if _is_thought_shown(reply):
        yield from _thought_events(reply)
        index = 1
    for search in range(reply.bill.searches):
        for block in _search(reply, search):
            yield Event({"type": "content_block_start", "index": index, "content_block": block})
            yield Event({"type": "content_block_stop", "index": index})
            index += 1
    for place, part in enumerate(reply.parts, index):
        at = {"index": place}
        yield Event({"type": "content_block_start", **at, "content_block": _block(part, "")})
        for piece in part.pieces:
            delta = {"type": "text_delta", "text": piece}
            if part.function is not None:
                delta = {"type": "input_json_delta", "partial_json": piece}
            yield Event({"type": "content_block_delta", **at, "delta": delta}, is_piece=True)
        yield Event({"type": "content_block_stop", **at})
    # The last count says how much was written to a cache, and not for how long.
    ended = {} if reply.usage is None else {"usage": _counts(reply.usage)}
    end = {"stop_reason": STOP_REASONS[reply.finish], "stop_sequence": None}
    yield Event({"type": "message_delta", "delta": end, **ended})
    yield Event({"type": "message_stop"})


def _thought_events(reply: Reply) -> Iterator[Event]:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    yield Event({"type": "content_block_start", "index": 0, "content_block": block})
    signed = signature(reply.bill.reasoning_tokens)
    for delta in (
        {"type": "thinking_delta", "thinking": SUMMARY},
        {"type": "signature_delta", "signature": signed},
    ):
        yield Event({"type": "content_block_delta", "index": 0, "delta": delta})
    yield Event({"type": "content_block_stop", "index": 0})
