"""Metered models of Groq, Mistral, Ollama and xAI, in what `vendors/` does not ask of each."""

import pytest
from langchain_core.messages import HumanMessage

from tests.harness.llm_server import Answer, ErrorForAnswer, ErrorStatus
from tests.models.conftest import ACCOUNT, entries
from tests.models.vendors import groq, mistral, ollama, openrouter, xai
from tests.models.ways import EVERY_WAY, TWO_WAYS, WAYS
from thrifty import Budget, InvalidInput, ModelUnavailable, TokenPrice, UseFee, metered
from thrifty.models.providers.vendors import is_cut


@pytest.fixture
def make_of(server, ledger):
    """Makes metered models of a vendor's."""

    def make(vendor, budget, options=None, **terms):
        ledger.open(ACCOUNT, budget)
        return metered(vendor.client(server, **(options or {})), ledger, ACCOUNT, **terms)

    return make


LIMITED = Budget(max_tokens=3_000)


@pytest.mark.parametrize("way", TWO_WAYS)
@pytest.mark.parametrize("code", ["tool_use_failed", "json_validate_failed"])
def test_what_groq_has_written_and_does_not_hand_over_is_charged(
    make_of, server, ledger, way, code
):
    server.script(ErrorStatus(status=400, code=code, kind="invalid_request_error", billed=True))
    with pytest.raises(ModelUnavailable, match=f"did not hand over its answer .400.: {code}"):
        WAYS[way](make_of(groq, LIMITED, attempts_max=1), "Hi")
    (entry,) = entries(ledger)
    assert (entry.status, entry.charged.tokens) == ("in_doubt", entry.reserved.tokens)


def test_what_groq_has_no_room_for_is_free_and_tried_again(make_of, server, ledger):
    full = {"status": 498, "code": "capacity_exceeded", "headers": {"retry-after-ms": "1"}}
    server.script(ErrorStatus(**full), Answer("Tea."))
    assert make_of(groq, LIMITED, {"service_tier": "flex"}).invoke("Tea?").text == "Tea."
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


@pytest.mark.parametrize("way", TWO_WAYS)
def test_groqs_flex_tier_has_the_price_of_any(make_of, server, ledger, way):
    WAYS[way](make_of(groq, Budget(max_cost_usd=0.01), {"service_tier": "flex"}), "Tea?")
    spent = ledger.balance(ACCOUNT).spent
    assert spent.cost_nano_usd == groq.GROQ.prices.cost(server.bill)


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("options", [{}, {"safe_mode": True}, {"model": "magistral-medium-latest"}])
def test_what_mistral_adds_is_within_what_was_reserved(make_of, server, ledger, way, options):
    server.script(Answer("Tea.", reasoning_tokens=60), Answer("Yes."))
    model = make_of(mistral, LIMITED, options)
    first = WAYS[way](model, "Tea?")
    assert first.text == "Tea."
    WAYS[way](model, [HumanMessage("Tea?"), first, HumanMessage("Why?")])
    for request, entry in zip(server.requests, entries(ledger), strict=True):
        assert entry.reserved.tokens - request.output_cap >= request.input_tokens
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


def test_an_answer_that_fills_mistrals_window_is_a_cut_one():
    from langchain_core.messages import AIMessage

    assert is_cut(AIMessage("T", response_metadata={"finish_reason": "model_length"}))
    assert is_cut(AIMessage("T", response_metadata={"done_reason": "length"}))


@pytest.mark.parametrize("way", TWO_WAYS)
def test_a_model_on_this_machine_is_asked_though_money_is_limited_and_costs_nothing(
    make_of, server, ledger, way
):
    server.script(Answer("Tea.", reasoning_tokens=30))
    answer = WAYS[way](make_of(ollama, Budget(max_cost_usd=0.01), {"reasoning": True}), "Tea?")
    assert answer.text == "Tea."
    spent = ledger.balance(ACCOUNT).spent
    assert (spent.tokens, spent.cost_nano_usd) == (server.bill.total_tokens, 0)


@pytest.mark.parametrize("way", TWO_WAYS)
def test_nobody_at_ollamas_address_is_said_to_be(make_of, ledger, way):
    model = make_of(ollama, LIMITED, {"base_url": "http://127.0.0.1:9"})
    with pytest.raises(ModelUnavailable, match="qwen3: the server cannot be reached") as failed:
        WAYS[way](model, "Tea?")
    assert failed.value.for_good


@pytest.mark.parametrize("way", TWO_WAYS)
def test_what_ollama_says_reaches_the_user(make_of, server, way):
    server.script(ErrorStatus(status=404, message="model 'qwen3' not found"))
    with pytest.raises(ModelUnavailable, match=r"\(404\): \"model 'qwen3' not found\"; check"):
        WAYS[way](make_of(ollama, LIMITED), "Tea?")


@pytest.mark.parametrize("way", TWO_WAYS)
def test_what_goes_wrong_while_ollama_answers_is_said_and_charged(make_of, server, ledger, way):
    told = "an error was encountered while running the model"
    pieces = {"as_event": True, "after_chunks": 5, "answer": Answer(tokens=40), "billed": True}
    server.script(ErrorForAnswer(message=told, **pieces))
    with pytest.raises(ModelUnavailable, match=f'an error for an answer .200.: "{told}"'):
        WAYS[way](make_of(ollama, LIMITED, attempts_max=1), "Tea?")
    assert [entry.status for entry in entries(ledger)] == ["in_doubt"]


@pytest.mark.parametrize("way", TWO_WAYS)
def test_what_mistral_sends_in_the_place_of_events_is_said(make_of, server, way):
    told = "Service tier capacity exceeded for this model."
    server.script(ErrorStatus(status=429, kind="service_tier_capacity_exceeded", message=told))
    with pytest.raises(ModelUnavailable, match=f'service_tier_capacity_exceeded, "{told}"'):
        WAYS[way](make_of(mistral, LIMITED, attempts_max=1), "Tea?")


@pytest.mark.parametrize("way", TWO_WAYS)
def test_what_xai_has_thought_is_on_the_bill_once(make_of, server, ledger, way):
    server.script(Answer("Tea.", reasoning_tokens=70))
    WAYS[way](make_of(xai, LIMITED), "Tea?")
    assert server.bill.output_tokens > 70
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


def test_where_no_fee_can_be_declared_nobody_is_told_to(make_of, server):
    fee = {"web_search": UseFee(0.01, uses_max=3, tokens_max=20_000)}
    for vendor in (xai, openrouter):
        name = "perplexity/sonar"
        priced = {"prices": {name: TokenPrice(1, 1)}}
        model = make_of(vendor, Budget(max_cost_usd=1), {"model": name}, **priced)
        with pytest.raises(InvalidInput, match="which cannot be declared here: leave it out"):
            model.invoke("Which tea?")
        with pytest.raises(InvalidInput, match="cannot say how often a tool may be used"):
            make_of(vendor, Budget(max_cost_usd=1), fees=fee)
    search = {"extra_body": {"search_parameters": {"mode": "on"}}}
    with pytest.raises(InvalidInput, match="leave it out, or limit neither tokens nor cost"):
        make_of(xai, Budget(max_tokens=3_000), search).invoke("Which tea?")
    assert not server.requests
