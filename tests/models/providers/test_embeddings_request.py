"""One request for vectors alone: what of its answer is handed on, and how long that may be."""

import asyncio

import pytest

from thrifty import Budget
from thrifty.models.providers.embeddings_request import EmbeddingsRequest, Vectors
from thrifty.models.wire.exchange import BODY_BYTES_MAX, Exchange, _exchange

ANSWER = Vectors([[0.5, 1.0], [0.25, 2.0]], 7, {"prompt_tokens": 7}, "small")


def request(answer: Vectors = ANSWER, texts: int = 2) -> EmbeddingsRequest:
    async def ask() -> Vectors:
        return answer

    facts = {"provider": "openai", "listed_as": "openai", "digest": "d", "input_tokens": 9}
    address = "https://a.invalid"
    return EmbeddingsRequest(
        model="small", address=address, texts=texts, is_watched=True, ask=ask, **facts
    )


def sent(one: EmbeddingsRequest, exchange: Exchange | None = None) -> dict:
    """What comes of it, while its answer is watched or is not."""

    async def send():
        _exchange.set(exchange)
        return await one.send(0)

    return asyncio.run(send()).message.model_dump(exclude_defaults=True)


MESSAGE = {
    "content": "",
    "additional_kwargs": {"vectors": [[0.5, 1.0], [0.25, 2.0]]},
    "usage_metadata": {"input_tokens": 7, "output_tokens": 0, "total_tokens": 7},
    "response_metadata": {
        "model_name": "small",
        "finish_reason": "stop",
        "token_usage": {"prompt_tokens": 7},
    },
}


def test_the_vectors_stand_in_a_message_with_their_bill():
    assert sent(request()) == MESSAGE
    silent = sent(request(Vectors([], None, {}, "")))
    assert "usage_metadata" not in silent
    assert silent["response_metadata"]["model_name"] == ""


def test_a_header_of_the_answer_may_say_what_it_has_cost():
    exchange = Exchange()
    exchange.headers = {"x-litellm-response-cost": "0.1"}
    told = sent(request(), exchange)["response_metadata"]["token_usage"]
    assert told == {"prompt_tokens": 7, "cost": "0.1"}


@pytest.mark.parametrize(
    ("texts", "most"), [(1, BODY_BYTES_MAX), (64, BODY_BYTES_MAX), (1_000, 131_072_000)]
)
def test_an_answer_is_as_long_as_its_vectors_may_be(texts, most):
    exchange = Exchange()
    sent(request(texts=texts), exchange)
    assert exchange.body_bytes_max == most


def test_the_vectors_of_few_texts_are_kept_and_nothing_has_no_bound():
    assert [request(texts=texts).keeps_answer for texts in (4, 5)] == [True, False]
    request().check_bounded(Budget(max_tokens=1))
