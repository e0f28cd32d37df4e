"""What the guard reads off somebody else's call, reserves for it, and charges when it is back."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.tools import tool

from tests.conftest import REAL_HOSTS
from thrifty import Budget, BudgetExceeded, PriceUnknown, Spend, StepEnded, TokenPrice
from thrifty.models.calls.allowance import OUTPUT_CAP_MIN
from thrifty.models.calls.current_account import use_account
from thrifty.models.calls.metered_model import METERED
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs import input_bound
from thrifty.models.costs.input_bound import MESSAGE_OVERHEAD_TOKENS, TEMPLATE_TOKENS, TOOLS_TOKENS
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.callback_guard import CallbackGuard, guard_calls
from thrifty.models.guard.unmetered_request import UnmeteredRequest

OWN = PriceList({"own": TokenPrice(Decimal(1), Decimal(4))})
"""A thousand nano-USD for a token of input, four thousand for one of output."""
SAID = {"messages": [{"role": "user", "content": "four"}]}
INPUT = 4 + MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
DECLARED = Spend(777, 777, 0, 7)


def read(said: Any = SAID, **params: Any) -> UnmeteredRequest:
    return UnmeteredRequest.read(said, params)


@pytest.mark.parametrize(
    ("params", "model"),
    [
        ({"model": "a"}, "a"),
        ({"model_name": "b"}, "b"),
        ({"model": "a", "model_name": "b"}, "a"),
        ({"model": "", "model_name": "b"}, "b"),
        ({"model": "a", "extra_body": {"model": "c"}}, "c"),
        ({"extra_body": None}, ""),
    ],
)
def test_the_model_is_the_one_that_is_sent(params, model):
    assert read(**params).model == model


def test_the_tier_is_read_and_none_is_left_open():
    assert read(service_tier="flex").tier == "flex"
    assert read().tier == read(service_tier=None).tier == "auto"


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens_to_sample",
        "max_new_tokens",
        "num_predict",
    ],
)
def test_a_cap_goes_by_many_names(name):
    assert read(**{name: 50}).output_tokens == 50
    assert read(extra_body={name: 50}).output_tokens == 50


@pytest.mark.parametrize(
    ("params", "most"),
    [
        ({}, None),
        ({"max_tokens": 0}, None),
        ({"max_tokens": -1}, None),
        ({"max_tokens": "50"}, None),
        ({"max_tokens": 1}, 1),
        ({"max_tokens": 50, "num_predict": 70}, 70),
        ({"max_tokens": 50, "n": 3}, 150),
        ({"max_tokens": 50, "n": 0}, 50),
        ({"max_tokens": 50, "n": None}, 50),
        ({"max_tokens": 50, "n": "3"}, 50),
        ({"n": 3}, None),
    ],
)
def test_the_most_that_it_can_answer_is_the_largest_cap_for_each_answer(params, most):
    assert read(**params).output_tokens == most


def test_what_tools_and_answers_look_like_is_input_as_well():
    schema = {"type": "function", "name": "f"}
    plain = read().input_tokens
    assert plain == INPUT
    more = len('{"name":"f","type":"function"}') + MESSAGE_OVERHEAD_TOKENS
    assert read(response_format=schema).input_tokens == plain + more
    # A provider of which nobody knows more may tell its model about tools at length.
    assert read(tools=[schema]).input_tokens == plain + more + TOOLS_TOKENS
    assert read(functions=[schema]).input_tokens == plain + more + TOOLS_TOKENS
    assert read(tools=[schema], model="gpt-4o").input_tokens < plain + more


@pytest.mark.parametrize(
    ("said", "params", "is_bounded"),
    [
        (SAID, {}, True),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, {}, False),
        (SAID, {"previous_response_id": "r"}, False),
        (SAID, {"extra_body": {"web_search_options": {"a": 1}}}, False),
        (SAID, {"tools": [{"type": "web_search"}]}, False),
    ],
)
def test_only_text_that_is_sent_is_bounded(said, params, is_bounded):
    request = read(said, max_tokens=50, **params)
    assert request.is_bounded == is_bounded
    assert request.tokens == (request.input_tokens + 50 if is_bounded else None)
    assert read(said, **params).tokens is None


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
COUNTED = {"input_tokens": 9, "output_tokens": 300, "total_tokens": 309}
APART = AIMessage("", additional_kwargs={"reasoning": THOUGHT}, usage_metadata=COUNTED)


@pytest.mark.parametrize("recalled", [0, 300, None])
def test_reasoning_that_is_sent_again_is_bounded_where_it_was_counted(recalled):
    request = UnmeteredRequest.read(SAID, {"max_tokens": 50}, recalled)
    assert request.is_bounded == (recalled is not None)
    assert request.input_tokens == INPUT + (recalled or 0)


def test_reasoning_that_is_sent_again_is_reserved():
    guarded = Guarded(max_tokens=5_000)
    params = {"model": "own", "max_tokens": 50}
    asked = [[HumanMessage("four"), APART]]
    guarded.guard.on_chat_model_start({}, asked, run_id=uuid4(), invocation_params=params)
    assert 300 < guarded.reserved.tokens - 50 - INPUT < 400


class Guarded:
    """A callback guard, and what its step says."""

    def __init__(self, tools: Any = None, prices: PriceList = OWN, **limits: Any) -> None:
        self.step = StepAccount(Budget(**limits))
        self.guard = CallbackGuard(self.step, prices, tools or {})
        self.told = {"ls_provider": "openai"}

    def ask(self, text: str = "four", serialized: Any = None, **params: Any) -> Any:
        call = uuid4()
        self.guard.on_chat_model_start(
            serialized,
            [[HumanMessage(text)]],
            run_id=call,
            invocation_params=params,
            metadata=self.told,
        )
        return call

    def answer(self, call: Any, *messages: Any) -> None:
        generations = [[SimpleNamespace(message=message) for message in messages]]
        self.guard.on_llm_end(LLMResult.model_construct(generations=generations), run_id=call)

    @property
    def entries(self) -> list[Any]:
        return list(self.step.ledger.entries(self.step.account))

    @property
    def reserved(self) -> Spend:
        (entry,) = self.entries
        return entry.reserved


def counted(tokens_in: int = 10, tokens_out: int = 5, **more: Any) -> AIMessage:
    usage = {"input_tokens": tokens_in, "output_tokens": tokens_out}
    usage["total_tokens"] = tokens_in + tokens_out
    return AIMessage("text", usage_metadata={**usage, **more})


def test_a_capped_call_is_reserved_at_its_worst():
    guarded = Guarded(max_tokens=1_000, max_cost_usd=1)
    guarded.ask(model="own", max_tokens=50)
    assert guarded.reserved == Spend(INPUT + 50, INPUT * 1_000 + 50 * 4_000, 0, 1)
    assert guarded.step.bill(DECLARED).tool_calls == 0  # a model is asked: what is seen counts


def test_all_messages_of_all_batches_are_input():
    guarded = Guarded(max_tokens=1_000)
    batches = [[SystemMessage("four"), HumanMessage("two")], [HumanMessage("one")]]
    told = {"invocation_params": {"max_tokens": 50}}
    guarded.guard.on_chat_model_start(None, batches, run_id=uuid4(), **told)
    assert guarded.reserved.tokens == 4 + 3 + 3 + 3 * MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS + 50


def test_a_model_that_completes_texts_is_reserved_as_well():
    guarded = Guarded(max_tokens=1_000)
    told = {"invocation_params": {"model_name": "own", "max_tokens": 50}}
    guarded.guard.on_llm_start({"name": "Texts"}, ["four", "two"], run_id=uuid4(), **told)
    assert guarded.reserved.tokens == 7 + 2 * MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS + 50
    assert guarded.entries[0].label == "own"
    ends = [uuid4(), uuid4()]
    for call in ends:
        capped = {"invocation_params": {"max_tokens": 50}}
        guarded.guard.on_llm_start({"name": "Texts"}, ["four"], run_id=call, **capped)
    for call in ends:
        guarded.guard.on_llm_error(never_connected(), run_id=call)
    assert [(e.label, e.status) for e in guarded.entries[1:]] == [("Texts", "released")] * 2


@pytest.mark.parametrize(
    ("model", "serialized", "label"),
    [("own", {"name": "Chat"}, "own"), ("", {"name": "Chat"}, "Chat"), ("", {}, "model")],
)
def test_the_bill_names_the_model_or_its_client(model, serialized, label):
    guarded = Guarded()
    guarded.ask(serialized=serialized, model=model)
    assert guarded.entries[0].label == label
    nobody = Guarded()
    nobody.guard.on_chat_model_start(None, [[HumanMessage("four")]], run_id=uuid4())
    assert nobody.entries[0].label == "model"


def test_without_a_cap_all_that_is_left_is_held():
    guarded = Guarded(max_tokens=1_000, max_cost_usd=1)
    guarded.ask(model="own")
    assert guarded.reserved == Spend(1_000, 10**9, 0, 1)


def test_without_a_cap_and_a_limit_the_least_is_held():
    guarded = Guarded()
    guarded.ask(model="own")
    least = INPUT + OUTPUT_CAP_MIN
    assert guarded.reserved == Spend(least, INPUT * 1_000 + OUTPUT_CAP_MIN * 4_000, 0, 1)


@pytest.mark.parametrize("limits", [{"max_tokens": 30}, {"max_cost_usd": 0.00001}])
def test_less_than_the_least_is_not_enough(limits):
    guarded = Guarded(**limits)
    with pytest.raises(BudgetExceeded):
        guarded.ask(model="own")
    assert guarded.entries == []


def test_an_unknown_price_holds_all_the_money_and_counts_nothing_without_a_limit():
    guarded = Guarded(max_cost_usd=0.5)
    guarded.ask(model="nobody-knows", max_tokens=50)
    assert guarded.reserved == Spend(INPUT + 50, 500_000_000, 0, 1)
    free = Guarded(max_tokens=1_000)
    free.ask(model="nobody-knows", max_tokens=50)
    assert free.reserved == Spend(INPUT + 50, 0, 0, 1)


def test_an_unknown_price_is_refused_for_good_where_no_money_is_left():
    guarded = Guarded(max_cost_usd=0)
    with pytest.raises(PriceUnknown) as first:
        guarded.ask(model="nobody-knows", max_tokens=50)
    with pytest.raises(PriceUnknown) as second:
        guarded.ask(model="own", max_tokens=1)
    assert second.value is first.value is guarded.step.refusal


def test_the_tier_counts_for_the_price():
    guarded = Guarded(prices=PriceList({}), max_cost_usd=1)
    guarded.ask(model="gpt-5", max_tokens=50, service_tier="priority")
    standard = Guarded(prices=PriceList({}), max_cost_usd=1)
    standard.ask(model="gpt-5", max_tokens=50, service_tier="default")
    assert guarded.reserved.cost_nano_usd > standard.reserved.cost_nano_usd
    left_open = Guarded(prices=PriceList({}), max_cost_usd=1)
    left_open.ask(model="gpt-5", max_tokens=50)  # which may be the dearest
    assert left_open.reserved.cost_nano_usd >= guarded.reserved.cost_nano_usd
    unheard_of = Guarded(prices=PriceList({}), max_tokens=1_000)
    unheard_of.ask(model="gpt-5", max_tokens=50, service_tier="unheard-of")
    assert unheard_of.reserved.cost_nano_usd == 0


def test_what_books_on_the_step_itself_is_let_through():
    guarded = Guarded()
    guarded.ask(_type=METERED)
    with use_account(StepAccount(Budget())):
        guarded.ask(model="own")
        guarded.guard.on_tool_start({"name": "look_up"}, "", run_id=uuid4())
    assert guarded.entries == []
    with use_account(guarded.step):
        guarded.ask(model="own")
    assert len(guarded.entries) == 1


def test_an_answer_is_settled_at_its_count_and_price():
    guarded = Guarded(max_cost_usd=1)
    guarded.answer(guarded.ask(model="own", max_tokens=50), counted())
    (entry,) = guarded.entries
    assert entry.status == "settled"
    assert entry.charged == Spend(15, 10 * 1_000 + 5 * 4_000, entry.charged.latency_ms, 1)


@pytest.mark.parametrize("messages", [(), (AIMessage("text"),), (counted(), counted())])
def test_an_answer_without_one_count_is_charged_in_full(messages):
    guarded = Guarded(max_cost_usd=1)
    guarded.answer(guarded.ask(model="own", max_tokens=50), *messages)
    (entry,) = guarded.entries
    assert entry.status == "in_doubt"
    assert entry.charged.tokens == INPUT + 50


TEXTS = [[Generation(text="text"), Generation(text="other")]]


@pytest.mark.parametrize("told", [None, {}, {"token_usage": {}}, {"token_usage": None}])
def test_texts_that_were_completed_without_a_count_are_charged_in_full(told):
    guarded = Guarded()
    call = guarded.ask(model="own", max_tokens=50)
    guarded.guard.on_llm_end(LLMResult(generations=TEXTS, llm_output=told), run_id=call)
    assert guarded.entries[0].status == "in_doubt"


def test_texts_that_were_completed_have_a_count_together():
    guarded = Guarded(max_cost_usd=1)
    call = guarded.ask(model="own", max_tokens=50, n=2, best_of=3)
    assert guarded.reserved.tokens == INPUT + 3 * 50
    told = {"token_usage": {"prompt_tokens": 10, "completion_tokens": 120, "total_tokens": 130}}
    guarded.guard.on_llm_end(LLMResult(generations=TEXTS, llm_output=told), run_id=call)
    (entry,) = guarded.entries
    assert entry.status == "settled"
    assert entry.charged == Spend(130, 10 * 1_000 + 120 * 4_000, entry.charged.latency_ms, 1)


def test_an_answer_whose_price_is_unknown_costs_what_was_reserved():
    guarded = Guarded(max_cost_usd=1, prices=PriceList({}))
    call = guarded.ask(model="gpt-4o", max_tokens=50)
    guarded.answer(call, counted(input_token_details={"video": 3}))
    (entry,) = guarded.entries
    assert entry.status == "settled"
    assert entry.charged.tokens == 15
    assert entry.charged.cost_nano_usd == entry.reserved.cost_nano_usd > 0


class Timed(TimeoutError):
    """What a client raises whose server took too long."""


def refused(status: int) -> Exception:
    """What the client of any vendor raises whose server refuses."""
    error = ValueError("refused")
    error.response = SimpleNamespace(status_code=status)  # type: ignore[attr-defined]
    return error


def never_connected() -> Exception:
    import openai

    error = openai.APIConnectionError(request=SimpleNamespace())
    error.__cause__ = type("ConnectError", (Exception,), {})()
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Timed(), "in_doubt"),
        (ValueError(), "in_doubt"),
        (never_connected(), "released"),
        (refused(429), "released"),
        (refused(500), "in_doubt"),
    ],
)
def test_a_failure_is_charged_unless_it_was_certainly_not_billed(error, status):
    guarded = Guarded()
    call = guarded.ask(model="own", max_tokens=50)
    guarded.guard.on_llm_error(error, run_id=call)
    assert [entry.status for entry in guarded.entries] == [status]
    guarded.guard.on_llm_error(error, run_id=call)  # called twice, charged once


def test_a_refusal_after_pieces_of_an_answer_is_charged():
    piece = ChatGeneration(message=AIMessage("Te"))
    of_the_error = ChatGeneration(message=AIMessage(""))
    seen = {"in_doubt": [[piece], [of_the_error]], "released": [[of_the_error]]}
    for status, generations in seen.items():
        guarded = Guarded()
        call = guarded.ask(model="own", max_tokens=50)
        response = LLMResult(generations=generations)
        guarded.guard.on_llm_error(refused(429), run_id=call, response=response)
        assert [entry.status for entry in guarded.entries] == [status]


def test_the_end_of_a_call_that_is_not_known_is_nobodys():
    guarded = Guarded()
    guarded.answer(uuid4(), counted())
    guarded.guard.on_llm_error(ValueError(), run_id=uuid4())
    guarded.guard.on_tool_end("", run_id=uuid4())
    guarded.guard.on_tool_error(ValueError(), run_id=uuid4())
    assert guarded.entries == []


@pytest.mark.parametrize(
    ("serialized", "label", "reserved"),
    [
        ({"name": "look_up"}, "look_up", Spend(3, 5, 0, 2)),
        ({"name": "other"}, "other", Spend(tool_calls=1)),
        ({}, "tool", Spend(7, tool_calls=1)),
        (None, "tool", Spend(7, tool_calls=1)),
    ],
)
@pytest.mark.parametrize("fails", [False, True])
def test_a_tool_is_charged_its_call_and_what_it_is_said_to_use(serialized, label, reserved, fails):
    guarded = Guarded({"look_up": Spend(3, 5, 0, 1), "tool": Spend(7)})
    call = uuid4()
    guarded.guard.on_tool_start(serialized, "", run_id=call)
    assert (guarded.entries[0].label, guarded.reserved) == (label, reserved)
    if fails:
        guarded.guard.on_tool_error(ValueError(), run_id=call)
    else:
        guarded.guard.on_tool_end("", run_id=call)
    (entry,) = guarded.entries
    assert entry.status == "settled"
    assert entry.charged == Spend(
        reserved.tokens, reserved.cost_nano_usd, entry.charged.latency_ms, reserved.tool_calls
    )


def test_time_is_counted_from_when_a_call_was_let_through(monkeypatch):
    now_ns = [10**18]
    monkeypatch.setattr("thrifty.models.guard.callback_guard.now_ns", lambda: now_ns[0])
    monkeypatch.setattr("thrifty.budget.clock.now_ns", lambda: now_ns[0])
    guarded = Guarded({"tool": Spend()})
    calls = [guarded.ask(model="own", max_tokens=5) for _ in range(3)]
    use = uuid4()
    guarded.guard.on_tool_start(None, "", run_id=use)
    now_ns[0] += 7_000_999_999
    guarded.answer(calls[0], counted())
    guarded.answer(calls[1])
    guarded.guard.on_llm_error(ValueError(), run_id=calls[2])
    guarded.guard.on_tool_end("", run_id=use)
    assert [entry.charged.latency_ms for entry in guarded.entries] == [7_000, 7_000, 7_000, 7_000]


@tool
def look_up(topic: str) -> str:
    """Looks up a topic."""
    return f"All about {topic}."


def test_calls_in_its_context_pass_the_guard_and_those_outside_do_not():
    step = StepAccount(Budget(max_cost_usd=1))
    with guard_calls(step, OWN, {"look_up": Spend(3)}):
        look_up.invoke("ants")
        FakeListChatModel(responses=["Yes."]).invoke("four", max_tokens=50)
        with use_account(StepAccount(Budget())):
            look_up.invoke("bees")
    look_up.invoke("bees")
    tool_call, model_call = step.ledger.entries(step.account)
    assert (tool_call.label, tool_call.charged.tokens) == ("look_up", 3)
    assert (model_call.label, model_call.status) == ("FakeListChatModel", "in_doubt")
    assert model_call.charged.cost_nano_usd == 10**9  # nobody knows its price


def test_a_guard_is_shut_when_its_context_is_left():
    step = StepAccount(Budget())
    with guard_calls(step, OWN):
        guard = CallbackGuard(step, OWN, {})
        guard.on_tool_start(None, "", run_id=uuid4())
    assert [entry.status for entry in step.ledger.entries(step.account)] == ["in_doubt"]
    with pytest.raises(StepEnded):
        guard.on_tool_start(None, "", run_id=uuid4())


@pytest.mark.parametrize(
    ("given", "is_counted"),
    [
        ({"id": ["langchain", "chat_models", "openai", "ChatOpenAI"], "kwargs": {}}, True),
        ({"kwargs": {"openai_api_base": "https://eu.api.openai.com/v1"}}, True),
        ({"kwargs": {"azure_endpoint": "https://fleet.openai.azure.com"}}, True),
        ({"kwargs": {"openai_api_base": "http://127.0.0.1:11434/v1"}}, False),
        ({"id": ["somebody", "ChatGateway"], "kwargs": {}}, False),
        (None, False),
    ],
)
def test_a_name_proves_nothing_at_an_address_that_is_not_openais_or_azures(
    monkeypatch, given, is_counted
):
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)
    guarded = Guarded(max_tokens=10_000)
    guarded.ask("tea " * 100, serialized=given, model="gpt-4o", max_tokens=50)
    (entry,) = guarded.entries
    assert (entry.reserved.tokens < 400) == is_counted


def test_a_client_without_an_address_asks_where_the_environment_says(monkeypatch):
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    guarded = Guarded(max_tokens=10_000)
    given = {"id": ["langchain", "chat_models", "openai", "ChatOpenAI"], "kwargs": {}}
    guarded.ask("tea " * 100, serialized=given, model="gpt-4o", max_tokens=50)
    assert guarded.entries[0].reserved.tokens > 400
