"""OpenRouter's chat completions: OpenAI's, with errors of its own, and with what each has cost."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tests.harness.llm_server.chat import ChatCompletions
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.usage import Bill

PARAMETERS = ("plugins", "provider", "reasoning", "route", "session_id", "trace", "models")
"""What it takes beyond OpenAI's."""
PRICED = "anthropic/claude-haiku-4.5"
USD_PER_MTOK = {"input": 1, "cached": "0.1", "written": "1.25", "output": 5}


class OpenRouter(ChatCompletions):
    """`POST /api/v1/chat/completions`. It says what an answer of its one priced model has cost."""

    api: Api = "openrouter"

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        return super().read({name: body[name] for name in body if name not in PARAMETERS})

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        return _with_cost(super().whole(reply), reply)

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        return [
            replace(event, data=event.data and _with_cost(event.data, reply))
            for event in super().events(reply)
        ]

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        return {"error": {"code": refused.status, "message": refused.message}}


def _with_cost(told: JSON, reply: Reply) -> JSON:
    usage = told.get("usage")
    if not usage or reply.model != PRICED or reply.usage is None:
        return told
    return told | {"usage": {"cost": _cost(reply.usage), **usage}}


def _cost(bill: Bill) -> float:
    fresh = bill.input_tokens - bill.cached_input_tokens - bill.written_input_tokens
    counts = {
        "input": fresh,
        "cached": bill.cached_input_tokens,
        "written": bill.written_input_tokens,
        "output": bill.output_tokens,
    }
    per_million = sum(count * Decimal(USD_PER_MTOK[kind]) for kind, count in counts.items())
    return float(per_million / 1_000_000)
