"""What is made of embeddings of langchain-openai: requests, and pieces of texts."""

import httpx
import pytest
from langchain_openai import AzureOpenAIEmbeddings, OpenAIEmbeddings

from thrifty.models.costs.input_bound import encoder_of
from thrifty.models.providers.openai_embeddings import OpenAIEmbeddingsModel, text_tokens

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
