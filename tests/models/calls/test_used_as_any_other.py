"""A metered model is used as the model that it was made of, or says what it cannot keep."""

import asyncio
from decimal import Decimal
from itertools import count

import httpx
import pytest
from langchain.chat_models import init_chat_model
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField, RunnablePassthrough
from langchain_groq import ChatGroq
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from tests.harness.llm_server import Answer, ServerError, ToolCall
from tests.models.conftest import ACCOUNT, claude, client, entries
from thrifty import Budget, InvalidInput, PriceUnknown, TokenPrice, metered

ANY = Budget(max_tokens=10_000, max_cost_usd=1)


@pytest.fixture
def make_of(ledger):
    """Meters what it is given."""

    def make_of(model, **terms):
        ledger.open(ACCOUNT, ANY)
        return metered(model, ledger, ACCOUNT, **terms)

    return make_of


def test_it_shows_the_fields_of_the_model(server, make_of):
    given = client(server, temperature=0.3, max_tokens=77, seed=5)
    shown = make_of(given)
    for name in ("model_name", "temperature", "max_tokens", "seed", "openai_api_base", "profile"):
        assert getattr(shown, name) == getattr(given, name)
    assert shown.model_name == "gpt-4o"
    assert make_of(claude(server)).model == "claude-haiku-4-5"
    assert not hasattr(shown, "never_heard_of")
    with pytest.raises(AttributeError, match="ChatOpenAI has no field 'never_heard_of'"):
        _ = shown.never_heard_of
    for name in ("client", "async_client", "root_client", "root_async_client"):
        with pytest.raises(AttributeError, match="its calls would not be metered"):
            getattr(shown, name)


def test_it_keeps_what_langchain_reads_off_a_model(server, make_of):
    limiter, cache = InMemoryRateLimiter(requests_per_second=1_000), InMemoryCache()
    given = client(server, rate_limiter=limiter, cache=cache, disable_streaming=True, tags=["a"])
    kept = make_of(given)
    assert kept.rate_limiter is limiter
    assert (kept.cache, kept.disable_streaming, kept.tags) == (cache, True, ["a"])
    assert make_of(client(server, cache=False)).cache is False


def test_a_cache_of_the_models_own_answers_the_second_time(server, make_of, ledger):
    model = make_of(client(server, cache=InMemoryCache(), max_tokens=50))
    server.script(Answer("Leaves."))
    assert [model.invoke("Tea?").text for _ in range(2)] == ["Leaves.", "Leaves."]
    assert len(server.requests) == len(entries(ledger)) == 1


class Counting(ChatOpenAI):
    """Counts words, and fetches no encoding."""

    def get_token_ids(self, text):
        return list(range(len(text.split())))

    def get_num_tokens(self, text):
        return len(self.get_token_ids(text))

    def get_num_tokens_from_messages(self, messages, tools=None, **options):
        return sum(self.get_num_tokens(message.text) for message in messages) + len(tools or ())


def test_it_counts_as_the_model_counts(make_of):
    model = make_of(Counting(model="gpt-4o", api_key="k"))
    said = [HumanMessage("What is tea?"), AIMessage("Leaves.")]
    assert model.get_token_ids("two words") == [0, 1]
    assert model.get_num_tokens("two words") == 2
    assert model.get_num_tokens_from_messages(said) == 4
    assert model.get_num_tokens_from_messages(said, tools=[{}]) == 5
    own = ChatOpenAI(model="gpt-4o", api_key="k", custom_get_token_ids=lambda text: [7])
    assert make_of(own).get_token_ids("any") == [7]


def test_a_stream_without_usage_is_one_where_the_model_says_so(server, make_of, ledger):
    pieces = list(make_of(client(server, stream_usage=False, max_tokens=50)).stream("Tea?"))
    assert not any(piece.usage_metadata for piece in pieces)
    (request,) = server.requests
    assert "stream_options" not in request.body
    (entry,) = entries(ledger)
    assert entry.charged.tokens == entry.reserved.tokens  # nobody counted it


def test_a_call_may_choose_fields(server, make_of, ledger):
    field = ConfigurableField(id="heat", name="Temperature")
    model = make_of(client(server, temperature=0.1, max_tokens=40)).configurable_fields(
        temperature=field
    )
    assert [spec.id for spec in model.config_specs] == ["heat"]
    model.invoke("Tea?")
    model.invoke("Tea?", {"configurable": {"heat": 0.9}})
    asyncio.run(model.bind(stop=["x"]).ainvoke("Tea?", {"configurable": {"heat": 0.5}}))
    assert [request.body["temperature"] for request in server.requests] == [0.1, 0.9, 0.5]
    assert sum(entry.charged.tokens for entry in entries(ledger)) == server.bill.total_tokens
    with pytest.raises(ValueError, match="heat"):
        make_of(client(server)).configurable_fields(heat=field)
    with pytest.raises(
        InvalidInput, match="openai_api_base: got 'a field'; meter a model for each"
    ):
        make_of(client(server)).configurable_fields(openai_api_base=field)


def test_a_call_may_choose_a_model(server, make_of, ledger):
    model = make_of(client(server, max_tokens=40)).configurable_alternatives(
        ConfigurableField(id="who"),
        default_key="openai",
        anthropic=metered(claude(server, max_tokens=40), ledger, ACCOUNT),
    )
    model.invoke("Tea?")
    model.invoke("Tea?", {"configurable": {"who": "anthropic"}})
    assert [request.body["model"] for request in server.requests] == ["gpt-4o", "claude-haiku-4-5"]
    assert len(entries(ledger)) == 2


TOOL = {"title": "look_up", "description": "d", "type": "object", "properties": {}}


def test_bindings_configurations_retries_and_fallbacks(server, make_of, ledger):
    model = make_of(client(server, max_tokens=40), attempts_max=1)
    server.script(Answer("a"), Answer("b"), ServerError(), Answer("c"), ServerError(), Answer("d"))
    ask = [
        model.bind(stop=["."]),
        model.with_config(tags=["mine"]),
        model.with_retry(stop_after_attempt=2),
        model.with_fallbacks([make_of(claude(server, max_tokens=40), attempts_max=1)]),
    ]
    assert [each.invoke(f"Tea {n}?").text for n, each in zip(count(), ask)] == ["a", "b", "c", "d"]
    chain = RunnablePassthrough.assign(answer=lambda given: given["q"]) | (
        lambda given: given["answer"]
    )
    server.script(Answer("e"))
    assert (chain | model).invoke({"q": "Tea?"}).text == "e"
    assert all(request.output_cap == 40 for request in server.requests)
    assert len(entries(ledger)) == len(server.requests) == 7


@pytest.mark.parametrize("make", [client, claude], ids=["OpenAI", "Anthropic"])
def test_a_model_with_tools_bound_to_it_is_taken_apart_and_keeps_them(
    server, make_of, ledger, make
):
    bound = make(server).bind_tools([TOOL], tool_choice="look_up")
    server.script(Answer(ToolCall("look_up", {})))
    assert make_of(bound).invoke("Tea?").tool_calls[0]["name"] == "look_up"
    assert len(server.requests[0].body["tools"]) == 1
    assert entries(ledger)[0].charged.tokens == server.bill.total_tokens
    again = make_of(make(server).bind(stop=["."]).with_config(tags=["mine"]).with_retry())
    assert again.invoke("Tea?").text
    assert len(entries(ledger)) == 2


REFUSED = {
    "a name": (lambda model: "openai:gpt-4o", "init_chat_model"),
    "fallbacks": (lambda model: model.with_fallbacks([model]), "with_fallbacks"),
    "a shape": (lambda model: model.with_structured_output(TOOL), "with_structured_output"),
    "fields": (
        lambda model: model.configurable_fields(temperature=ConfigurableField(id="t")),
        "configurable_fields",
    ),
    "no model yet": (lambda model: init_chat_model(), "init_chat_model"),
    "another thing": (lambda model: object(), "langchain-openai"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_holds_a_model_is_refused_by_name_with_the_remedy(server, make_of, what):
    make, remedy = REFUSED[what]
    with pytest.raises(InvalidInput, match=r"model: got '\w+'; ") as refused:
        make_of(make(client(server)))
    assert remedy in refused.value.remedy


def test_a_model_that_init_chat_model_made_is_metered(server, make_of, ledger):
    made = init_chat_model("openai:gpt-4o", base_url=server.base_url, api_key="k")
    assert make_of(made).invoke("Tea?").text
    assert entries(ledger)[0].charged.tokens == server.bill.total_tokens


def test_a_transport_for_other_calls_than_are_made_is_refused(server, make_of):
    with httpx.Client() as transport:
        with pytest.raises(
            InvalidInput, match=r"http_client: got 'Client'; give http_async_client"
        ):
            make_of(client(server, http_client=transport))
        with pytest.raises(InvalidInput, match="http_client: got 'Client'"):
            make_of(ChatGroq(model="llama-3.3-70b-versatile", api_key="k", http_client=transport))
        both = {"http_client": transport, "http_async_client": httpx.AsyncClient()}
        assert make_of(client(server, **both)).http_client is transport


def azure(server, **options):
    at = {"azure_endpoint": server.root_url, "azure_deployment": "fleet", "api_key": "k"}
    return AzureChatOpenAI(**at, api_version="2024-10-21", **options)


def test_a_deployment_at_azure_has_the_price_of_its_model_or_one_of_its_own(
    server, make_of, ledger
):
    with pytest.raises(PriceUnknown, match="no price is known for model 'fleet'"):
        make_of(azure(server)).invoke("Tea?")
    assert not server.requests
    own = {"fleet": TokenPrice(Decimal(30), Decimal(60))}
    assert make_of(azure(server), prices=own).invoke("Tea?").text
    bill = server.bill
    cost = bill.input_tokens * 30_000 + bill.output_tokens * 60_000
    assert ledger.balance(ACCOUNT).spent.cost_nano_usd == cost
    declared = azure(server, model="gpt-4o", model_version="2024-08-06")
    assert make_of(declared).invoke("Tea?").text
    entry = entries(ledger)[-1]
    assert entry.label == "gpt-4o"
    assert entry.charged.cost_nano_usd == cost_of_gpt_4o(server, bill)
    assert all(request.output_cap for request in server.requests)


def cost_of_gpt_4o(server, before) -> int:
    after = server.bill
    asked = after.input_tokens - before.input_tokens
    return asked * 2_500 + (after.output_tokens - before.output_tokens) * 10_000
