"""OpenAI's Responses: what is sent back."""

import json
from collections.abc import Iterator, Sequence

from tests.harness.llm_server.dialect import CREATED_AT_S, Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.responses_question import read
from tests.harness.llm_server.usage import Bill


class Responses:
    """`POST /v1/responses`."""

    api: Api = "responses"

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        return read(body)

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        return _finished(reply)

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        return list(_events(reply))

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        return refused.as_json()

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent."""
        data = {**(event.data or {}), "sequence_number": number}
        return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def usage_object(bill: Bill) -> JSON:
    """The bill as this API writes it."""
    return {
        "input_tokens": bill.input_tokens,
        "input_tokens_details": {
            "cached_tokens": bill.cached_input_tokens,
            "cache_write_tokens": bill.written_input_tokens,
        },
        "output_tokens": bill.output_tokens,
        "output_tokens_details": {"reasoning_tokens": bill.reasoning_tokens},
        "total_tokens": bill.total_tokens,
    }


def _response_object(reply: Reply, status: str, output: list[JSON]) -> JSON:
    asked = reply.request.body
    return {
        "id": f"resp_{reply.number:06d}",
        "object": "response",
        "created_at": CREATED_AT_S,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": reply.request.output_cap,
        "metadata": asked.get("metadata") or {},
        "model": reply.model,
        "output": output,
        "parallel_tool_calls": asked.get("parallel_tool_calls", True),
        "previous_response_id": None,
        "reasoning": asked.get("reasoning") or {"effort": None, "summary": None},
        "service_tier": reply.service_tier,
        "store": asked.get("store", True),
        "temperature": asked.get("temperature", 1.0),
        "text": asked.get("text") or {"format": {"type": "text"}},
        "tool_choice": asked.get("tool_choice") or "auto",
        "tools": asked.get("tools") or [],
        "top_p": asked.get("top_p", 1.0),
        "truncation": asked.get("truncation") or "disabled",
        "usage": None,
        "user": asked.get("user"),
    }


def _finished(reply: Reply) -> JSON:
    status = "incomplete" if reply.finish == "length" else "completed"
    output = [_item(reply, index, part) for index, part in _numbered(reply)]
    usage = None if reply.usage is None else usage_object(reply.usage)
    return _response_object(reply, status, output) | {"usage": usage}


class Search:
    """Stands for a search among the parts of an answer."""


SEARCH = Search()


def _numbered(reply: Reply) -> Iterator[tuple[int, Part | Search | None]]:
    """The items of the output with their place; None is the reasoning, which comes first."""
    thoughts: list[Part | Search | None] = [None] if reply.bill.reasoning_tokens else []
    return enumerate([*thoughts, *[SEARCH] * reply.bill.searches, *reply.parts])


def _item(reply: Reply, index: int, part: Part | Search | None) -> JSON:
    if part is None:
        return _thoughts(reply, index)
    if isinstance(part, Search):
        return _search(reply, index)
    status = "completed" if part.whole else "incomplete"
    if part.function is not None:
        return _call(reply, index, part) | {"arguments": part.text, "status": status}
    return _message(reply, index) | {"content": [_text(part.text)], "status": status}


def _thoughts(reply: Reply, index: int) -> JSON:
    """Reasoning, whose id ends in how many tokens it had: sent again, it is input."""
    name = f"{_item_id('rs', reply, index)}_{reply.bill.reasoning_tokens}"
    item: JSON = {"id": name, "type": "reasoning", "summary": []}
    if "reasoning.encrypted_content" in (reply.request.body.get("include") or ()):
        item["encrypted_content"] = "gAAAAB" + "cipher" * reply.bill.reasoning_tokens
    return item


def _search(reply: Reply, index: int) -> JSON:
    """A search, whose id ends in how many tokens it found."""
    name = f"{_item_id('ws', reply, index)}_{reply.search_tokens}"
    action = {"type": "search", "query": "tea"}
    return {"id": name, "type": "web_search_call", "status": "completed", "action": action}


def _item_id(prefix: str, reply: Reply, index: int) -> str:
    return f"{prefix}_{reply.number:06d}_{index}"


def _text(text: str) -> JSON:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(reply: Reply, index: int) -> JSON:
    return {
        "id": _item_id("msg", reply, index),
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }


def _call(reply: Reply, index: int, part: Part) -> JSON:
    return {
        "id": _item_id("fc", reply, index),
        "type": "function_call",
        "status": "in_progress",
        "call_id": part.call_id,
        "name": part.function,
        "arguments": "",
    }


def _events(reply: Reply) -> Iterator[Event]:
    begun = _response_object(reply, "in_progress", [])
    yield Event({"type": "response.created", "response": begun})
    yield Event({"type": "response.in_progress", "response": begun})
    for index, part in _numbered(reply):
        done = _item(reply, index, part)
        at = {"item_id": done["id"], "output_index": index}
        if part is None or isinstance(part, Search):
            yield _added(index, done)
        elif part.function is not None:
            yield _added(index, _call(reply, index, part))
            yield from _call_events(part, at)
        else:
            yield _added(index, _message(reply, index))
            yield from _text_events(part, at | {"content_index": 0})
        yield Event({"type": "response.output_item.done", "output_index": index, "item": done})
    ended = _finished(reply)
    yield Event({"type": f"response.{ended['status']}", "response": ended})


def _added(index: int, item: JSON) -> Event:
    return Event({"type": "response.output_item.added", "output_index": index, "item": item})


def _text_events(part: Part, at: JSON) -> Iterator[Event]:
    yield Event({"type": "response.content_part.added", **at, "part": _text("")})
    for piece in part.pieces:
        delta = {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
        yield Event(delta, is_piece=True)
    yield Event({"type": "response.output_text.done", **at, "text": part.text, "logprobs": []})
    yield Event({"type": "response.content_part.done", **at, "part": _text(part.text)})


def _call_events(part: Part, at: JSON) -> Iterator[Event]:
    kind = "response.function_call_arguments"
    for piece in part.pieces:
        yield Event({"type": f"{kind}.delta", **at, "delta": piece}, is_piece=True)
    yield Event({"type": f"{kind}.done", **at, "name": part.function, "arguments": part.text})
