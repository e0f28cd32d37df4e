"""OpenAI's Embeddings: a vector for each text, which are given as such or as cl100k tokens."""

import json
from array import array
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

from tests.harness.llm_server import checks, errors, tokens
from tests.harness.llm_server.dialect import Event
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Message, Question
from tests.harness.llm_server.reply import Reply

PARAMETERS = ("model", "input", "dimensions", "encoding_format", "user")
TEXTS_MAX, TEXT_TOKENS_MAX, TOKENS_MAX = 2_048, 8_192, 300_000
DIMENSIONS = {"text-embedding-3-large": 3_072}
DIMENSIONS_USUAL = 1_536


class Embeddings:
    """`POST /v1/embeddings`. Whatever an answer says, its texts get their vectors."""

    api: Api = "embeddings"

    def read(self, body: JSON) -> Question:
        """The question in a request's body: its messages are the texts."""
        checks.known(body, PARAMETERS)
        model = checks.text(body, "model")
        if "input" not in body:
            raise errors.missing("input")
        texts = _texts(body["input"])
        counts = [len(text) for text in texts]
        if not texts or len(texts) > TEXTS_MAX or not all(counts):
            raise Refused("'$.input' is invalid.", code=None)
        if max(counts) > TEXT_TOKENS_MAX or sum(counts) > TOKENS_MAX:
            told = f"This model's maximum context length is {TEXT_TOKENS_MAX} tokens."
            raise Refused(told, code="context_length_exceeded")
        return Question(
            model=model,
            messages=tuple(Message("user", tokens.text_of_cl100k(text)) for text in texts),
            output_cap=0,
            input_tokens=sum(counts),
        )

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request."""
        body = reply.request.body
        size = body.get("dimensions") or DIMENSIONS.get(reply.model, DIMENSIONS_USUAL)
        packed = body.get("encoding_format") == "base64"
        texts = _texts(body["input"])
        usage = reply.usage and {
            "prompt_tokens": reply.usage.input_tokens,
            "total_tokens": reply.usage.input_tokens,
            **reply.told_usage,
        }
        return {
            "object": "list",
            "model": reply.model,
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _vector(tuple(text), size, packed),
                }
                for index, text in enumerate(texts)
            ],
            **({} if usage is None else {"usage": usage}),
        }

    def events(self, reply: Reply) -> Sequence[Event]:
        """The whole answer as one event."""
        return [Event(self.whole(reply), is_piece=True), Event(None)]

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        return refused.as_json()

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent."""
        return json.dumps(event.data).encode()


def _texts(given: Any) -> list[list[int]]:
    """The texts in tokens."""
    if isinstance(given, str) or (isinstance(given, list) and given and type(given[0]) is int):
        given = [given]
    if not isinstance(given, list):
        raise errors.wrong_type("input", "a string or an array", given)
    return [tokens.cl100k(text) if isinstance(text, str) else text for text in given]


@lru_cache
def _vector(text: tuple[int, ...], size: int, packed: bool) -> str | list[float]:
    """The same for the same text, of length 1."""
    digest = sha256(json.dumps(text).encode()).digest()
    raw = [digest[place % len(digest)] - 127.5 for place in range(size)]
    length = sum(number * number for number in raw) ** 0.5
    vector = array("f", [number / length for number in raw])
    return b64encode(vector.tobytes()).decode() if packed else vector.tolist()
