"""xAI's Chat Completions: what differs from OpenAI's."""

from tests.harness.llm_server.chat import ChatCompletions, usage_object
from tests.harness.llm_server.chat_question import PARAMETERS, Grammar
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON
from tests.harness.llm_server.usage import Bill

KINDS = {400: "Client specified an invalid argument", 401: "Unauthorized", 429: "Too Many Requests"}


class XAI(ChatCompletions):
    """`POST /v1/chat/completions`, here below a path of its own."""

    api: Api = "xai"
    grammar = Grammar(f"{PARAMETERS} deferred search_parameters")

    def usage(self, bill: Bill) -> JSON:
        """The bill: what was thought is no part of the answer, and of the whole."""
        told = usage_object(bill)
        return told | {"completion_tokens": bill.output_tokens - bill.reasoning_tokens}

    def error(self, refused: Refused) -> JSON:
        """Two texts."""
        kind = KINDS.get(refused.status, "The service is currently unavailable")
        return {"code": refused.code or kind, "error": refused.message}
