"""OpenAI's old Completions: one request for several texts, which are counted together."""

import json
from collections.abc import Sequence

from tests.harness.llm_server import checks
from tests.harness.llm_server.chat import usage_object
from tests.harness.llm_server.dialect import CREATED_AT_S, Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Message, Question
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.usage import input_tokens


class Completions:
    """`POST /v1/completions`, without streams. What it answers continues the first text.

    To the other texts it has nothing to add, so that the reply is the whole bill.
    """

    api: Api = "completions"

    def read(self, body: JSON) -> Question:
        """The question in a request's body."""
        given = body.get("prompt")
        prompts = [given] if isinstance(given, str) else checks.items(body, "prompt")
        messages = checks.not_empty((Message("user", str(text)) for text in prompts), "prompt")
        return Question(
            model=checks.text(body, "model"),
            messages=messages,
            output_cap=checks.cap(body, "max_tokens", 1),
            input_tokens=input_tokens(messages),
        )

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request."""
        texts = [reply.text, *[""] * (len(reply.request.messages) - 1)]
        return {
            "id": f"cmpl-{reply.number:06d}",
            "object": "text_completion",
            "created": CREATED_AT_S,
            "model": reply.model,
            "choices": [
                {"text": text, "index": index, "logprobs": None, "finish_reason": reply.finish}
                for index, text in enumerate(texts)
            ],
            **({} if reply.usage is None else {"usage": usage_object(reply.usage)}),
        }

    def events(self, reply: Reply) -> Sequence[Event]:
        """The whole answer as one event."""
        return [Event(self.whole(reply), is_piece=True), Event(None)]

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        return refused.as_json()

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent."""
        data = "[DONE]" if event.data is None else json.dumps(event.data)
        return f"data: {data}\n\n".encode()
