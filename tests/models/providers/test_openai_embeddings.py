"""What is made of embeddings of langchain-openai: requests, and pieces of texts."""

import asyncio
from types import SimpleNamespace

import httpx
import httpx2
import pytest
from langchain_openai import AzureOpenAIEmbeddings, OpenAIEmbeddings

from thrifty import InvalidInput
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.models.costs.input_bound import encoder_of
from thrifty.models.providers.embeddings_request import EmbeddingsRequest, Vectors
from thrifty.models.providers.openai_embeddings import OpenAIEmbeddingsModel, text_tokens
from thrifty.models.wire import connection_pool
from thrifty.models.wire.background_loop import background_loop

SMALL = "text-embedding-3-small"
CL100K = encoder_of("cl100k_base")


def embeddings(**options):
    return OpenAIEmbeddings(**{"model": SMALL, "api_key": "sk-1", **options})


def request(of=None, **body):
    asked = {"model": SMALL, "input": ["Tea"], **body}
    return OpenAIEmbeddingsModel(of or embeddings()).request(asked)


def test_a_request_says_who_is_asked_where():
    asked = request()
    assert (asked.model, asked.provider, asked.listed_as) == (SMALL, "openai", "openai")
    assert asked.address == "https://api.openai.com/v1/"
    assert asked.operation == "embeddings"
    fleet = {"azure_endpoint": "https://fleet.openai.azure.com", "azure_deployment": "fleet"}
    at_azure = request(AzureOpenAIEmbeddings(model=SMALL, api_key="sk-1", **fleet))
    assert at_azure.provider == "azure"
    assert at_azure.input_tokens == asked.input_tokens == len(CL100K.encode("Tea"))
    elsewhere = request(embeddings(base_url="https://gate.invalid/v1"))
    assert elsewhere.input_tokens == len("Tea") + 16  # in bytes, with room for its template


def test_the_same_texts_are_the_same_request_however_they_are_sent():
    digest = request().digest
    for delivery in ({"timeout": 5}, {"extra_headers": {"a": "b"}}, {"extra_query": {"a": "b"}}):
        assert request(**delivery).digest == digest
    for other in ({"input": ["Coffee"]}, {"dimensions": 8}, {"encoding_format": "float"}):
        assert request(**other).digest != digest


def test_an_extra_body_is_sent_in_the_place_of_what_stands_beside_it():
    extra = {"model": "text-embedding-3-large", "input": ["one two", "three"]}
    asked = request(extra_body=extra)
    assert (asked.model, asked.texts, asked.input_tokens) == ("text-embedding-3-large", 2, 3)


@pytest.mark.parametrize(
    ("given", "texts"),
    [("Tea", 1), (["Tea", "Tea"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2), ([], 0)],
)
def test_texts_come_alone_or_together_as_such_or_as_tokens(given, texts):
    assert request(input=given).texts == texts
    assert request(input=given).keeps_answer


def test_it_is_seen_when_a_request_leaves_unless_the_transport_is_the_users():
    assert request().is_watched
    assert request(embeddings(openai_proxy="http://127.0.0.1:9")).is_watched
    assert not request(embeddings(http_async_client=httpx.AsyncClient())).is_watched


def pieces(texts, **options):
    copy = OpenAIEmbeddingsModel(embeddings(**options)).with_clients(None, None)
    return copy._tokenize(texts, 2)


def test_long_texts_are_cut_as_langchain_cuts_them():
    batches, tokens, places, counts = pieces(["one two three", "", "four"], embedding_ctx_length=2)
    assert tokens == [CL100K.encode("one two"), CL100K.encode(" three"), CL100K.encode("four")]
    assert (list(batches), places, counts) == ([0, 2], [0, 0, 2], [2, 1, 1])
    assert pieces(["a\nb"])[1] == [CL100K.encode("a\nb")]
    older = {"model": "old-001", "tiktoken_model_name": SMALL}
    assert pieces(["a\nb"], **older)[1] == [CL100K.encode("a b")]
    assert pieces(["a\ud800b"])[1] == [CL100K.encode("a\N{REPLACEMENT CHARACTER}b")]


def test_a_model_may_be_cut_by_the_encoding_of_another():
    (tokens,) = pieces(["コーヒー"], tiktoken_model_name="gpt-4o")[1]
    assert tokens == encoder_of("o200k_base").encode("コーヒー")


@pytest.mark.parametrize(
    "options",
    [
        {"check_embedding_ctx_length": False},
        {"tiktoken_enabled": False},
        {"allowed_special": {"<|endoftext|>"}},
        {"disallowed_special": ()},
        {"tiktoken_model_name": "davinci"},
    ],
)
def test_what_was_set_otherwise_is_left_to_langchain(options):
    copy = OpenAIEmbeddingsModel(embeddings(**options)).with_clients(None, None)
    assert "_tokenize" not in vars(copy)


def test_the_first_and_the_last_token_are_known():
    assert text_tokens([0, 100_255], "") == len(f"!{CL100K.decode([100_255])}") + 16
    assert text_tokens([100_256], "") == 128 + 16


@pytest.mark.parametrize(
    ("tokens", "most"),
    [
        ([15339, 1917], len("hello world")),
        ([], 0),
        ([222, 15339], len("hello") + 128),  # begins within a letter
        ([15339, 172, 241, 222], len("hello") + 3 * 128),  # ends within one
        ([999_999_999], 128),
        ([-1], 128),
    ],
)
def test_tokens_stand_for_a_text_that_another_server_may_count_anew(tokens, most):
    assert text_tokens(tokens, "") == most + 16
    assert text_tokens(tokens, SMALL) == len(tokens)


@pytest.mark.parametrize(("encoding", "room"), [(SMALL, 0), ("cl100k_base", 16), ("", 16)])
def test_a_text_has_room_for_what_a_server_adds_that_nobody_knows(encoding, room):
    text = "Tea or coffee?"
    counted = len(CL100K.encode(text)) if encoding else len(text)
    assert text_tokens(text, encoding) == counted + room
    assert text_tokens([15339, 1917], "cl100k_base") == 2 + 16


FLEET = {"azure_endpoint": "https://fleet.openai.azure.com", "azure_deployment": "fleet"}


def test_what_cannot_be_asked_says_what_can():
    metered_already = embeddings().model_copy(update={"async_client": None})
    told = (
        "embeddings",
        "OpenAIEmbeddings",
        "let it build its own async client, and meter it once",
    )
    assert refusal(metered_already) == told
    nameless = AzureOpenAIEmbeddings(api_key="sk-1", **FLEET)
    remedy = 'name the model of the deployment: model="text-embedding-3-small"'
    assert refusal(nameless) == ("model", "not named", remedy)


def refusal(given):
    with pytest.raises(InvalidInput) as refused:
        OpenAIEmbeddingsModel(given)
    return refused.value.field, refused.value.value, refused.value.remedy


def test_a_request_is_known_to_its_last_field():
    given = OpenAIEmbeddingsModel(embeddings(), "cl100k_base")
    assert (given.name, given.takes(embeddings()), given.takes(object())) == (SMALL, True, False)
    extra = {"dimensions": 8}
    body = {"model": "bge-m3", "input": ["Tea", "Milk"], "timeout": 3, "extra_body": extra}
    asked = given.request(body)
    digested = (
        '{"dimensions":8,"extra_body":{"dimensions":8},"input":["Tea","Milk"],"model":"bge-m3"}'
    )
    assert asked == EmbeddingsRequest(
        model="bge-m3",
        address="https://api.openai.com/v1/",
        provider="openai",
        listed_as="openai",
        digest=fingerprint("embeddings", digested),
        input_tokens=len(CL100K.encode("Tea")) + len(CL100K.encode("Milk")) + 2 * 16,
        texts=2,
        is_watched=True,
        ask=asked.ask,
    )
    assert asked.ask.args == (body,)


def test_a_copy_is_asked_by_the_clients_that_it_is_given():
    copy = OpenAIEmbeddingsModel(embeddings()).with_clients("client", "async client")
    assert (copy.client, copy.async_client) == ("client", "async client")


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"])
def test_its_client_is_made_anew_without_its_retries_on_connections_of_this_process(proxy):
    made = embeddings(max_retries=5, **({"openai_proxy": proxy} if proxy else {}))
    client = OpenAIEmbeddingsModel(made)._resource_on(background_loop())._client
    assert client.max_retries == 0
    assert client._client is connection_pool.connections("openai", proxy=proxy)
    assert client._process_response.func is connection_pool.parse_beside
    assert client._process_response.args == (type(client)._process_response.__get__(client),)


def test_a_transport_of_ones_own_is_kept():
    own = httpx2.AsyncClient()
    made = embeddings(http_async_client=own)
    assert OpenAIEmbeddingsModel(made)._resource_on(background_loop())._client._client is own


ADA = "text-embedding-ada-002"


@pytest.mark.parametrize(
    ("usage", "tokens", "asked", "answered", "model"),
    [
        ({"prompt_tokens": 5, "total_tokens": 7}, 7, SMALL, SMALL, SMALL),
        ({"prompt_tokens": 5}, 5, ADA, f"{ADA}-v2", ADA),
        ({"total_tokens": 7}, 7, ADA, "ada", ADA),
        ({"prompt_tokens": 0, "total_tokens": 0}, 0, ADA, SMALL, SMALL),
        ({"prompt_tokens": -1, "total_tokens": 7}, None, SMALL, "ada", "ada"),
        ({"prompt_tokens": 5.5, "total_tokens": 7}, None, SMALL, None, ""),
        ({}, None, SMALL, SMALL, SMALL),
        (None, None, SMALL, SMALL, SMALL),
    ],
)
def test_an_answer_says_its_vectors_its_count_and_who_answered(
    usage, tokens, asked, answered, model
):
    counted = None if usage is None else SimpleNamespace(model_dump=lambda: usage)
    data = [SimpleNamespace(embedding=[1.0]), SimpleNamespace(embedding=[2.0])]
    parsed = SimpleNamespace(usage=counted, model=answered, data=data)
    sent = []

    async def create(**body):
        sent.append(body)
        return SimpleNamespace(parse=lambda: parsed)

    given = OpenAIEmbeddingsModel(embeddings())
    raw = SimpleNamespace(with_raw_response=SimpleNamespace(create=create))
    given._resource_on = lambda loop: raw if loop is background_loop() else None
    body = {"model": asked, "input": ["Tea", "Milk"]}
    answer = asyncio.run(given.request(body).ask())
    assert answer == Vectors([[1.0], [2.0]], tokens, usage or {}, model)
    assert sent == [body]
