"""DeepSeek's Chat Completions: what differs from OpenAI's. What it does not know it passes over."""

from collections.abc import Iterator

from tests.harness.llm_server.chat import ChatCompletions, chunk
from tests.harness.llm_server.chat_question import Grammar
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.usage import Bill

THOUGHT = "It has to be thought about."


class DeepSeek(ChatCompletions):
    """`POST /chat/completions`, here below a path of its own."""

    api: Api = "deepseek"
    grammar = Grammar("", ("max_tokens",))

    def usage(self, bill: Bill) -> JSON:
        """The bill, with what its cache had and had not."""
        return {
            "prompt_tokens": bill.input_tokens,
            "completion_tokens": bill.output_tokens,
            "total_tokens": bill.total_tokens,
            "prompt_cache_hit_tokens": bill.cached_input_tokens,
            "prompt_cache_miss_tokens": bill.input_tokens - bill.cached_input_tokens,
            "completion_tokens_details": {"reasoning_tokens": bill.reasoning_tokens},
        }

    def message(self, reply: Reply) -> JSON:
        """The message, with its thought beside it."""
        thought = {"reasoning_content": THOUGHT} if reply.bill.reasoning_tokens else {}
        return super().message(reply) | thought

    def pieces(self, reply: Reply) -> Iterator[Event]:
        """The pieces, after the thought."""
        first, *others = super().pieces(reply)
        yield first
        if reply.bill.reasoning_tokens:
            yield chunk(reply, {"reasoning_content": THOUGHT})
        yield from others
