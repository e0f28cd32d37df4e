"""Mistral's Chat Completions: what differs from OpenAI's.

The input is counted as by a tokenizer of its own, with what nobody sends: how tools are called, and
the instructions that `safe_prompt` and thinking bring.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from tests.harness.llm_server import tokens
from tests.harness.llm_server.chat import ChatCompletions, chunk
from tests.harness.llm_server.chat_question import Grammar
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.usage import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY, Bill, compact

PARAMETERS = (
    "frequency_penalty guardrails max_tokens messages metadata min_tokens model n "
    "parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_mode random_seed "
    "reasoning_effort response_format safe_prompt stop stream temperature tool_choice tools top_p"
)
DENSITY = 1.3
"""How many tokens it reads where o200k counts one, and never more than there are bytes."""
SAFE_TOKENS = 60
"""What it reads where `safe_prompt` is on, and nobody sends."""
THINKING_TOKENS = 300
"""The same where it is told how to think."""
TOOLS_TOKENS = 40
ATTACHMENT_TOKENS = 1_100
"""What it reads in a picture."""


class Mistral(ChatCompletions):
    """`POST /v1/chat/completions`, here below a path of its own."""

    api: Api = "mistral"
    grammar = Grammar(PARAMETERS, ("max_tokens",), counts_streams=True)

    def read(self, body: JSON) -> Question:
        """The question in a request's body, in which `any` forces a call."""
        if body.get("tool_choice") == "any":
            body = {**body, "tool_choice": "required"}
        question = super().read(body)
        return replace(question, input_tokens=_input_tokens(body, question))

    def usage(self, bill: Bill) -> JSON:
        """The bill."""
        return {
            "prompt_tokens": bill.input_tokens,
            "total_tokens": bill.total_tokens,
            "completion_tokens": bill.output_tokens,
            "prompt_tokens_details": {"cached_tokens": bill.cached_input_tokens},
        }

    def message(self, reply: Reply) -> JSON:
        """The message: of a model that thinks, with its thought as a part of it."""
        said = super().message(reply)
        message = {"role": "assistant", "content": said["content"] or "", "prefix": False}
        if calls := said.get("tool_calls"):
            message["tool_calls"] = [{**each, "id": _short(each["id"])} for each in calls]
        if thought := _thought(reply):
            message["content"] = [*thought, {"type": "text", "text": reply.text}]
        return message

    def pieces(self, reply: Reply) -> Iterator[Event]:
        """The pieces, after the thought. A call comes whole."""
        yield chunk(reply, {"role": "assistant", "content": ""})
        if thought := _thought(reply):
            yield chunk(reply, {"content": thought})
        for part in reply.parts:
            for piece in part.pieces if part.function is None else ():
                yield chunk(reply, {"content": piece}, is_piece=True)
        if calls := self.message(reply).get("tool_calls"):
            numbered = [{**call, "index": index} for index, call in enumerate(calls)]
            yield chunk(reply, {"content": "", "tool_calls": numbered}, is_piece=True)

    def end(self, reply: Reply) -> Iterator[Event]:
        """The count is in the piece that says how it ended."""
        last = chunk(reply, {"content": ""}, finish=reply.finish)
        counted = {} if reply.usage is None else {"usage": self.told(reply)}
        yield Event({**(last.data or {}), **counted})

    def error(self, refused: Refused) -> JSON:
        """It is flat, with codes that are numbers."""
        if refused.status == 401:
            return {"message": refused.message, "request_id": "0"}
        told = {"message": refused.message, "type": refused.kind}
        return {"object": "error", **told, "param": refused.param, "code": refused.code}


def _input_tokens(body: JSON, question: Question) -> int:
    total = TOKENS_PER_REPLY
    total += sum(TOKENS_PER_MESSAGE + _count(message.text) for message in question.messages)
    total += sum(_count(compact(tool.as_json())) for tool in question.tools)
    if question.answer_schema is not None:
        total += _count(compact(question.answer_schema))
    total += TOOLS_TOKENS if question.tools else 0
    total += SAFE_TOKENS if body.get("safe_prompt") else 0
    total += THINKING_TOKENS if _is_told_to_think(body) else 0
    return total + ATTACHMENT_TOKENS * sum(_pictures(body))


def _pictures(body: JSON) -> Iterator[bool]:
    for message in body["messages"]:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            yield isinstance(part, dict) and part.get("type") == "image_url"


def _count(text: str) -> int:
    return min(ceil(DENSITY * tokens.count(text)), len(text.encode("utf-8", "replace")))


def _is_told_to_think(body: JSON) -> bool:
    mode = body.get("prompt_mode", "reasoning" if _thinks(body) else None)
    return bool(mode == "reasoning")


def _thinks(body: JSON) -> bool:
    return str(body.get("model")).startswith("magistral")


def _thought(reply: Reply) -> list[JSON]:
    if not (reply.bill.reasoning_tokens and _thinks(dict(reply.request.body))):
        return []
    shown = [{"type": "text", "text": "thought " * reply.bill.reasoning_tokens}]
    return [{"type": "thinking", "thinking": shown, "closed": True}]


def _short(call_id: str) -> str:
    """Nine letters and digits, as Mistral has it."""
    return call_id.replace("_", "")[-9:]
