"""Groq's Chat Completions: what differs from OpenAI's."""

from collections.abc import Iterator

from tests.harness.llm_server.chat import ChatCompletions, chunk, usage_object
from tests.harness.llm_server.chat_question import PARAMETERS, Grammar
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.usage import Bill

OWN_PARAMETERS = (
    "citation_options compound_custom disable_tool_validation documents exclude_domains "
    "include_domains include_reasoning reasoning_format search_settings"
)
TIERS = (None, "auto", "on_demand", "flex", "performance")


class Groq(ChatCompletions):
    """`POST /openai/v1/chat/completions`."""

    api: Api = "groq"
    grammar = Grammar(f"{PARAMETERS} {OWN_PARAMETERS}", counts_streams=True)

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        if body.get("service_tier") not in TIERS:
            raise Refused("'service_tier' : value must be one of the allowed values")
        return super().read(body)

    def usage(self, bill: Bill) -> JSON:
        """The bill, and how long it took."""
        counted = usage_object(bill)
        return {
            "queue_time": 0.01,
            "prompt_tokens": counted["prompt_tokens"],
            "prompt_time": 0.01,
            "completion_tokens": counted["completion_tokens"],
            "completion_time": 0.1,
            "total_tokens": counted["total_tokens"],
            "total_time": 0.11,
            "prompt_tokens_details": {"cached_tokens": bill.cached_input_tokens},
            "completion_tokens_details": {"reasoning_tokens": bill.reasoning_tokens},
        }

    def message(self, reply: Reply) -> JSON:
        """The message, with its thought beside it."""
        thought = {"reasoning": THOUGHT} if reply.bill.reasoning_tokens else {}
        return super().message(reply) | thought

    def end(self, reply: Reply) -> Iterator[Event]:
        """The count is in a field of Groq's own, in the piece that says how it ended."""
        last = chunk(reply, {}, finish=reply.finish)
        counted = {} if reply.usage is None else {"usage": self.told(reply)}
        told = {"x_groq": {"id": f"req_{reply.number:06d}", **counted}}
        yield Event({**(last.data or {}), **told})

    def error(self, refused: Refused) -> JSON:
        """It has no `param`, and no code where it has nothing to say."""
        said = {"message": refused.message, "type": refused.kind}
        return {"error": said | ({"code": refused.code} if refused.code else {})}


THOUGHT = "It has to be thought about."
