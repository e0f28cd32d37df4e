"""Metered embeddings: each request is reserved, sent once, and settled at the server's count."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace

import pytest
from langchain_classic.embeddings import CacheBackedEmbeddings
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.stores import InMemoryByteStore
from langchain_openai import AzureOpenAIEmbeddings, OpenAIEmbeddings

from tests.harness.llm_server import (
    Answer,
    ChatTemplate,
    Hang,
    MalformedJson,
    MissingUsage,
    NegativeUsage,
    Reset,
    ServerError,
    TooManyRequests,
    Unauthorized,
    WebPage,
)
from tests.models.conftest import ACCOUNT, entries
from thrifty import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    ModelUnavailable,
    PriceUnknown,
    Spend,
    ThriftyError,
    TokenPrice,
    metered,
)
from thrifty.models.calls.current_account import use_account
from thrifty.models.calls.step_account import StepAccount

SMALL = "text-embedding-3-small"
TEXTS = ["Tea is made of leaves.", "コーヒー", "🫖 and ☕"]
WAYS = {
    "embed_documents": lambda made, texts: made.embed_documents(texts),
    "aembed_documents": lambda made, texts: asyncio.run(made.aembed_documents(texts)),
    "embed_query": lambda made, texts: [made.embed_query(text) for text in texts],
    "aembed_query": lambda made, texts: [asyncio.run(made.aembed_query(text)) for text in texts],
}


def embeddings(server, **options):
    given = {"model": SMALL, "api_key": "sk-test", "base_url": server.base_url, "dimensions": 8}
    return OpenAIEmbeddings(**{**given, **options})


@pytest.fixture
def make(server, ledger):
    def make(budget=Budget(max_tokens=10_000), options=None, **terms):  # noqa: B008 - frozen
        ledger.open(ACCOUNT, budget)
        return metered(embeddings(server, **(options or {})), ledger, ACCOUNT, **terms)

    return make


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("splits", [True, False])
def test_every_way_brings_the_same_vectors_and_is_settled_at_the_servers_count(
    make, server, ledger, way, splits
):
    plain = embeddings(server, check_embedding_ctx_length=False).embed_documents(TEXTS)
    server.clear()
    made = make(Budget(max_tokens=100, max_cost_usd=0.001), {"check_embedding_ctx_length": splits})
    assert WAYS[way](made, TEXTS) == plain
    bill, spent = server.bill, ledger.balance(ACCOUNT).spent
    assert spent.tokens == bill.total_tokens
    assert spent.cost_nano_usd == bill.total_tokens * 20  # $0.02 for a million
    assert spent.tool_calls == len(server.requests) == len(entries(ledger))
    # All of it is counted before, so that not a token more is held than is billed.
    assert [entry.reserved.tokens for entry in entries(ledger)] == [
        request.input_tokens for request in server.requests
    ]


def test_it_is_embeddings_as_any_other_and_the_given_ones_are_left_alone(make, server, ledger):
    made = make(options={"default_headers": {"x-team": "tea"}})
    assert isinstance(made, OpenAIEmbeddings)
    assert (made.model, made.dimensions) == (SMALL, 8)
    made.embed_query("Tea")
    assert server.requests[0].headers["x-team"] == "tea"
    larger = made.model_copy(update={"dimensions": 16})
    assert len(larger.embed_query("Tea")) == 16
    assert ledger.balance(ACCOUNT).spent.tool_calls == 2
    plain = embeddings(server, check_embedding_ctx_length=False)
    ledger.open("other", Budget(max_tokens=0))
    metered(plain, ledger, "other")
    plain.embed_query("Tea")
    assert len(server.requests) == 3


@pytest.mark.parametrize("budget", [Budget(max_tokens=5), Budget(max_cost_usd=0.0000001)])
def test_what_does_not_fit_is_not_sent(make, server, ledger, budget):
    with pytest.raises(BudgetExceeded, match="short"):
        make(budget).embed_documents(TEXTS)
    assert not server.requests
    assert ledger.balance(ACCOUNT).spent == ledger.balance(ACCOUNT).reserved == Spend()


def test_each_batch_is_a_call_and_those_that_were_made_are_paid(make, server, ledger):
    made = make(Budget(max_tokens=25))
    with pytest.raises(BudgetExceeded):
        made.embed_documents(["one two three four five"] * 12, chunk_size=2)
    assert [request.input_tokens for request in server.requests] == [10, 10]
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens == 20


def test_a_long_text_is_cut_without_a_network_and_its_parts_averaged(make, server, ledger):
    made = make(options={"embedding_ctx_length": 4})
    (vector,) = made.embed_documents(["世界を回る one two three four five six"])
    assert sum(number**2 for number in vector) == pytest.approx(1)
    (request,) = server.requests
    assert {len(text) for text in request.body["input"][:-1]} == {4}
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


FAULTS = {
    ServerError: "in_doubt",
    MissingUsage: "in_doubt",
    NegativeUsage: "in_doubt",
    MalformedJson: "in_doubt",
    Reset: "in_doubt",
    Hang: "in_doubt",
    WebPage: "in_doubt",
    Unauthorized: "released",
    lambda: TooManyRequests(retry_after_s=3_600): "released",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("way", ["embed_documents", "aembed_query"])
def test_whatever_the_server_does_the_bill_is_at_least_its(make, server, ledger, fault, way):
    server.script(fault())
    made = make(Budget(max_tokens=100, max_latency_ms=1_000), attempts_max=1)
    with suppress(ModelUnavailable):
        WAYS[way](made, TEXTS[:1])
    (entry,) = entries(ledger)
    assert entry.status == FAULTS[fault]
    assert server.bill.total_tokens <= entry.charged.tokens <= entry.reserved.tokens
    assert ledger.balance(ACCOUNT).reserved == Spend()


def test_what_was_turned_away_is_tried_again_and_what_failed_is_reserved_anew(make, server, ledger):
    server.script(TooManyRequests(retry_after_ms=1), Answer(), ServerError(), Answer())
    made = make()
    assert made.embed_query("Tea") == made.embed_query("Tea")
    assert [entry.status for entry in entries(ledger)] == ["settled", "in_doubt", "settled"]
    assert len(server.requests) == 4  # and none by the client itself


def test_what_never_left_is_free(ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=100))
    for options in ({"base_url": "http://127.0.0.1:9/v1"}, {"api_key": "sk-\n"}):
        given = {"api_key": "sk-test", "base_url": "http://127.0.0.1:9/v1", **options}
        made = metered(OpenAIEmbeddings(model=SMALL, **given), ledger, ACCOUNT)
        with pytest.raises(ModelUnavailable):
            made.embed_query("Tea")
    assert ledger.balance(ACCOUNT).spent == ledger.balance(ACCOUNT).reserved == Spend()


def elsewhere(server):
    """The same server by a name that is none of OpenAI's."""
    return server.base_url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("splits", [True, False])
def test_at_another_address_bytes_bound_what_it_counts_in_its_own_way(make, server, ledger, splits):
    server.script(ChatTemplate(added_tokens=6))  # marks at both ends of each of three texts
    options = {"base_url": elsewhere(server), "check_embedding_ctx_length": splits}
    make(options={**options, "model": "bge-m3"}).embed_documents(TEXTS)
    (entry,) = entries(ledger)
    assert entry.charged.tokens == server.bill.total_tokens
    assert entry.reserved.tokens == sum(len(text.encode()) + 16 for text in TEXTS)


def test_a_server_that_is_said_to_count_as_openai_does_is_held_to_that(make, server, ledger):
    options = {"base_url": elsewhere(server), "model": "bge-m3"}
    make(options=options, encoding="cl100k_base").embed_documents(TEXTS)
    (entry,) = entries(ledger)
    assert entry.reserved.tokens == server.bill.total_tokens + 16 * len(TEXTS)


def test_a_model_has_its_price_or_is_not_asked_while_money_is_limited(make, server, ledger):
    money = Budget(max_cost_usd=0.01)
    with pytest.raises(PriceUnknown):
        make(money, {"model": "bge-m3"}).embed_query("Tea")
    assert not server.requests
    made = make(money, {"model": "bge-m3"}, prices={"bge-m3": TokenPrice(1, 0)})
    made.embed_documents(TEXTS)
    assert ledger.balance(ACCOUNT).spent.cost_nano_usd == server.bill.total_tokens * 1_000
    make(Budget(max_tokens=100), {"model": "bge-m3"}).embed_query("Tea")


def test_a_gateway_says_what_it_has_cost(make, server, ledger):
    server.script(Answer(told_usage={"cost": 0.000_5}))
    server.script(Answer(headers={"x-litellm-response-cost": "0.0007"}))
    made = make(Budget(max_cost_usd=1), reported_cost=True)
    made.embed_query("Tea")
    made.embed_query("Tea")
    assert [entry.charged.cost_nano_usd for entry in entries(ledger)] == [500_000, 700_000]


@pytest.mark.parametrize(
    ("answered", "cost"),
    [("text-embedding-ada-002-v2", 100), ("ada", 100), ("text-embedding-3-large", 130)],
)
def test_the_dearer_model_that_answers_is_charged(make, server, ledger, answered, cost, caplog):
    server.script(Answer(model=answered))
    make(Budget(max_cost_usd=1), {"model": "text-embedding-ada-002"}).embed_query("Tea")
    assert entries(ledger)[0].charged.cost_nano_usd == server.bill.total_tokens * cost
    assert ("answered where" in caplog.text) == (cost > 100)


def test_the_same_run_is_given_the_vectors_of_few_texts_and_pays_anew_for_those_of_many(
    make, server, ledger
):
    many = [f"Text {number}" for number in range(5)]
    first = make(run="r")
    vectors = [first.embed_query("Tea"), *first.embed_documents(many)]
    for again in range(3):
        made = metered(embeddings(server), ledger, ACCOUNT, run="r")
        assert [made.embed_query("Tea"), *made.embed_documents(many)] == vectors
        assert len(server.requests) == 3 + again
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens
    assert max(len(entry.answer) for entry in entries(ledger)) < 1_000  # of 8 numbers
    assert sum(not entry.answer for entry in entries(ledger)) == 4


def test_in_an_executor_the_step_pays(server):
    made = metered(embeddings(server))
    with pytest.raises(InvalidInput, match="name a ledger and an account"):
        made.embed_query("Tea")
    with use_account(StepAccount(Budget(max_tokens=8))) as step:
        made.embed_query("Tea")
        with pytest.raises(BudgetExceeded):
            made.embed_documents(TEXTS)
    assert step.bill(Spend()).tokens == server.bill.total_tokens == 2
    assert isinstance(step.declined, BudgetExceeded)


def test_a_cache_of_vectors_asks_for_what_it_has_not(make, server):
    made = CacheBackedEmbeddings.from_bytes_store(
        make(), InMemoryByteStore(), namespace=SMALL, key_encoder="sha256"
    )
    assert made.embed_documents(TEXTS) == made.embed_documents(TEXTS)
    assert len(server.requests) == 1


def test_many_at_once_never_pass_the_limit(make, server, ledger):
    made = make(Budget(max_tokens=60))

    def ask(number):
        with suppress(BudgetExceeded):
            return made.embed_query(f"Question {number} of all")

    with ThreadPoolExecutor(8) as threads:
        answers = [answer for answer in threads.map(ask, range(24)) if answer]
    spent = ledger.balance(ACCOUNT).spent.tokens
    assert 50 < spent == server.bill.total_tokens <= 60
    assert len(answers) == len(server.requests)


@pytest.mark.long
def test_an_answer_is_as_long_as_its_vectors_are(make, server):
    """150 of 3,072 numbers, written out, are 9 MB: longer than any text."""
    options = {"model": "text-embedding-3-large", "model_kwargs": {"encoding_format": "float"}}
    vectors = make(options={**options, "dimensions": None}).embed_documents(["Tea"] * 150)
    assert {len(vector) for vector in vectors} == {3_072}


def test_a_deployment_at_azure_is_metered_by_the_model_that_it_is_said_to_have(server, ledger):
    ledger.open(ACCOUNT, Budget(max_cost_usd=0.01))
    at_azure = {
        "azure_endpoint": server.root_url,
        "azure_deployment": "fleet",
        "api_key": "sk-test",
    }
    with pytest.raises(InvalidInput, match="name the model of the deployment"):
        metered(AzureOpenAIEmbeddings(**at_azure), ledger, ACCOUNT)
    made = metered(AzureOpenAIEmbeddings(model=SMALL, **at_azure), ledger, ACCOUNT)
    made.embed_query("Tea")
    assert server.requests[0].path == "/openai/deployments/fleet/embeddings"
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


@pytest.mark.parametrize(
    "option",
    [
        {"max_output_tokens": 99},
        {"useful_tokens": 99},
        {"tokens_per_attachment": 1},
        {"cap_field": "max_tokens"},
    ],
)
def test_what_is_said_of_answers_has_no_meaning_and_is_refused(make, option):
    with pytest.raises(InvalidInput, match="embeddings write no answer"):
        make(**option)


def test_what_cannot_be_metered_is_refused_by_name(make, server, ledger):
    ledger.open(ACCOUNT, Budget())
    with pytest.raises(InvalidInput, match=r"DeterministicFakeEmbedding.*use OpenAIEmbeddings"):
        metered(DeterministicFakeEmbedding(size=3), ledger, ACCOUNT)
    with pytest.raises(InvalidInput, match="meter it once"):
        metered(make(), ledger, ACCOUNT)
    own = embeddings(server, async_client=SimpleNamespace())
    with pytest.raises(ThriftyError, match="its own async client"):
        metered(own, ledger, ACCOUNT)
