"""Ollama's chat: what a request may say, and what is sent back, a line of JSON each."""

import json
from collections.abc import Iterator, Sequence

from tests.harness.llm_server import checks
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Message, Question, Tool
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.usage import Bill, compact, input_tokens

PARAMETERS = [
    "format",
    "keep_alive",
    "logprobs",
    "messages",
    "model",
    "options",
    "stream",
    "think",
    "tools",
    "top_logprobs",
]
CREATED_AT = "2026-01-01T00:00:00Z"
TEMPLATE_TOKENS = 40
"""What its template adds to each request."""
TOOLS_TOKENS = 150
"""And to one with tools."""
IMAGE_TOKENS = 700


class Ollama:
    """`POST /api/chat`."""

    api: Api = "ollama"

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        checks.known(body, PARAMETERS)
        messages = tuple(Message(str(each["role"]), _text(each)) for each in body["messages"])
        tools = tuple(_tool(each) for each in checks.items(body, "tools"))
        wanted = body.get("format") or None
        schema = wanted if isinstance(wanted, dict) else None
        cap = checks.section(body, "options").get("num_predict")
        images = sum(len(each.get("images") or ()) for each in body["messages"])
        added = TEMPLATE_TOKENS + IMAGE_TOKENS * images + (TOOLS_TOKENS if tools else 0)
        return Question(
            model=checks.text(body, "model"),
            messages=messages,
            stream=body.get("stream") is not False,
            output_cap=cap if isinstance(cap, int) and cap >= 0 else None,
            input_tokens=input_tokens(messages, tools) + added,
            tools=tools,
            json_wanted=wanted is not None,
            answer_schema=schema,
        )

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        message: JSON = {"role": "assistant", "content": reply.text}
        if reply.calls:
            message["tool_calls"] = [_call(call) for call in reply.calls]
        return _line(reply, message) | _end(reply)

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        return list(_events(reply))

    def frame(self, event: Event, number: int) -> bytes:
        """A line."""
        return f"{json.dumps(event.data)}\n".encode()

    def error(self, refused: Refused) -> JSON:
        """A text."""
        return {"error": refused.message}


def _text(message: JSON) -> str:
    calls = (call["function"] for call in message.get("tool_calls") or ())
    called = (f"{call['name']}{compact(call['arguments'])}" for call in calls)
    thought = str(message.get("thinking") or "")
    return "\n".join((str(message.get("content") or ""), *called, *([thought] if thought else ())))


def _tool(entry: JSON) -> Tool:
    function = entry["function"]
    return Tool(function["name"], function.get("description") or "", function["parameters"])


def _line(reply: Reply, message: JSON) -> JSON:
    return {"model": reply.model, "created_at": CREATED_AT, "message": message, "done": False}


def _end(reply: Reply) -> JSON:
    word = "length" if reply.finish == "length" else "stop"
    return {"done": True, "done_reason": word, "total_duration": 9} | _counts(reply.usage)


def _counts(bill: Bill | None) -> JSON:
    if bill is None:
        return {}
    return {"prompt_eval_count": bill.input_tokens, "eval_count": bill.output_tokens}


def _call(call: Part) -> JSON:
    try:
        arguments = json.loads(call.text or "{}")
    except ValueError:  # cut in its middle
        arguments = {}
    return {"function": {"name": call.function, "arguments": arguments}}


def _events(reply: Reply) -> Iterator[Event]:
    if reply.bill.reasoning_tokens and reply.request.body.get("think") is not False:
        thought = {"role": "assistant", "content": "", "thinking": "It has to be thought about."}
        yield Event(_line(reply, thought))
    for part in reply.parts:
        if part.function is not None:  # a call comes whole
            called = {"role": "assistant", "content": "", "tool_calls": [_call(part)]}
            yield Event(_line(reply, called), is_piece=True)
            continue
        for piece in part.pieces:
            yield Event(_line(reply, {"role": "assistant", "content": piece}), is_piece=True)
    yield Event(_line(reply, {"role": "assistant", "content": ""}) | _end(reply))
