"""OpenAI's Chat Completions: what is sent back."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.harness.llm_server.chat_question import Grammar, read
from tests.harness.llm_server.dialect import CREATED_AT_S, Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.usage import Bill


class ChatCompletions:
    """`POST /v1/chat/completions`. Other vendors' are made of it, with words of their own."""

    api: Api = "chat"
    grammar = Grammar()

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        return read(body, self.grammar)

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        choice = {
            "index": 0,
            "message": self.message(reply),
            "logprobs": None,
            "finish_reason": reply.finish,
        }
        usage = {} if reply.usage is None else {"usage": self.told(reply)}
        return _completion_object(reply, "chat.completion", [choice]) | usage

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        events = [*self.pieces(reply), *self.end(reply), Event(None)]
        if reply.is_usage_running and reply.usage is not None:
            return list(_with_usage_so_far(events, reply.usage))
        return events

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        return refused.as_json()

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent."""
        data = "[DONE]" if event.data is None else json.dumps(event.data)
        return f"data: {data}\n\n".encode()

    def usage(self, bill: Bill) -> JSON:
        """A bill as the vendor writes it."""
        return usage_object(bill)

    def told(self, reply: Reply) -> JSON:
        """What a reply says that it used."""
        assert reply.usage is not None, "whoever says nothing of usage says no more"
        return {**self.usage(reply.usage), **reply.told_usage}

    def message(self, reply: Reply) -> JSON:
        """The answer's message."""
        return _message(reply)

    def pieces(self, reply: Reply) -> Iterator[Event]:
        """The events of a stream that have the answer."""
        return _pieces(reply)

    def end(self, reply: Reply) -> Iterator[Event]:
        """The events that say how it ended, and what it used."""
        yield chunk(reply, {}, finish=reply.finish)
        if reply.request.usage_wanted and reply.usage is not None:
            usage = {"usage": self.told(reply)}
            yield Event(_completion_object(reply, "chat.completion.chunk", []) | usage)


def usage_object(bill: Bill) -> JSON:
    """The bill as this API writes it."""
    return {
        "prompt_tokens": bill.input_tokens,
        "completion_tokens": bill.output_tokens,
        "total_tokens": bill.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": bill.cached_input_tokens,
            "cache_write_tokens": bill.written_input_tokens,
            "audio_tokens": bill.audio_input_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": bill.reasoning_tokens,
            "audio_tokens": bill.audio_output_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _completion_object(reply: Reply, kind: str, choices: list[JSON]) -> JSON:
    return {
        "id": f"chatcmpl-{reply.number:06d}",
        "object": kind,
        "created": CREATED_AT_S,
        "model": reply.model,
        "service_tier": reply.service_tier,
        "system_fingerprint": None,
        "choices": choices,
    }


def _message(reply: Reply) -> JSON:
    message: JSON = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
    if reply.calls:
        message["content"] = reply.text or None
        message["tool_calls"] = [_call(call, call.text) for call in reply.calls]
    return message


def _call(call: Part, arguments: str) -> JSON:
    return {
        "id": call.call_id,
        "type": "function",
        "function": {"name": call.function, "arguments": arguments},
    }


def _pieces(reply: Reply) -> Iterator[Event]:
    yield chunk(reply, {"role": "assistant", "content": "", "refusal": None})
    calls = 0
    for part in reply.parts:
        if part.function is None:
            for piece in part.pieces:
                yield chunk(reply, {"content": piece}, is_piece=True)
            continue
        yield chunk(reply, {"tool_calls": [{"index": calls, **_call(part, "")}]})
        for piece in part.pieces:
            delta = {"index": calls, "function": {"arguments": piece}}
            yield chunk(reply, {"tool_calls": [delta]}, is_piece=True)
        calls += 1


def _with_usage_so_far(events: Sequence[Event], usage: Bill) -> Iterator[Event]:
    pieces, said = sum(event.is_piece for event in events), 0
    for event in events:
        said += event.is_piece
        so_far = replace(usage, output_tokens=usage.output_tokens * said // pieces)
        told = event.data and event.data | {"usage": usage_object(so_far)}
        yield replace(event, data=told)


def chunk(reply: Reply, delta: JSON, *, finish: str | None = None, is_piece: bool = False) -> Event:
    """One event of a stream."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    data = _completion_object(reply, "chat.completion.chunk", [choice])
    # Whoever asks for usage gets the key, as null, in each chunk before the one that has it.
    return Event(data | ({"usage": None} if reply.request.usage_wanted else {}), is_piece)
