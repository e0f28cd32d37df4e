"""Anthropic's models, metered: capped, settled at the wire, never over."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from tests.harness.llm_server import (
    Answer,
    ErrorStatus,
    Hang,
    MalformedJson,
    MissingUsage,
    NegativeUsage,
    OverCap,
    Overloaded,
    Reset,
    ResetMidAnswer,
    ServerError,
    ToolCall,
    TooManyRequests,
    TruncatedStream,
    Unauthorized,
    ZeroUsage,
)
from tests.models.conftest import ACCOUNT, claude, entries
from tests.models.test_metered import EVERY_WAY, WAYS, look_up
from thrifty import (
    Budget,
    BudgetExceeded,
    BudgetMiddleware,
    InvalidInput,
    ModelUnavailable,
    PriceUnknown,
    Spend,
    metered,
)

IN, CACHED, WRITTEN, HOUR, OUT = 1_000, 100, 1_250, 2_000, 5_000
"""Nano-USD a token of claude-haiku-4-5: 1 dollar a million in, 0.10 cached, 1.25 and 2 written,
5 out."""
THINKING = {"type": "enabled", "budget_tokens": 1_024}


def cost(bill) -> int:
    apart = bill.cached_input_tokens + bill.written_input_tokens + bill.written_1h_input_tokens
    return (
        (bill.input_tokens - apart) * IN
        + bill.cached_input_tokens * CACHED
        + bill.written_input_tokens * WRITTEN
        + bill.written_1h_input_tokens * HOUR
        + bill.output_tokens * OUT
    )


def long_ago(hours: bool) -> list:
    """A message that is to be kept in a cache."""
    kept = {"type": "ephemeral", **({"ttl": "1h"} if hours else {})}
    block = {"type": "text", "text": "Is tea better than coffee? " * 5, "cache_control": kept}
    return [SystemMessage([block]), HumanMessage("Say why.")]


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize(
    ("hours", "counted"),
    [
        (False, {}),
        (False, {"cached_input_tokens": 8, "written_input_tokens": 5}),
        (True, {"cached_input_tokens": 8, "written_1h_input_tokens": 6}),
    ],
)
def test_every_way_of_calling_is_settled_at_the_servers_count(
    make_claude, server, ledger, way, hours, counted
):
    server.script(Answer("Yes, indeed.", reasoning_tokens=30, **counted))
    answer = WAYS[way](make_claude(Budget(max_tokens=2000, max_cost_usd=0.05)), long_ago(hours))
    assert answer.text == "Yes, indeed."
    bill = server.bill
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.charged.tokens == bill.total_tokens == answer.usage_metadata["total_tokens"]
    assert entry.charged.cost_nano_usd == cost(bill)
    assert entry.charged.tool_calls == len(server.requests) == 1


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize(
    "budget",
    [
        Budget(max_tokens=700),
        Budget(max_cost_usd=0.002),
        Budget(max_tokens=9000, max_cost_usd=0.002),
    ],
)
def test_the_cap_that_is_sent_is_all_that_tokens_and_money_afford(
    make_claude, server, ledger, way, budget
):
    server.script(Answer(tokens=5000))
    WAYS[way](make_claude(budget), "Tell me all.")
    (request,) = server.requests
    assert budget.covers(ledger.balance(ACCOUNT).spent)
    tokens = request.input_tokens, request.output_cap
    # All of the input may be written to a cache for an hour.
    assert budget.covers(Spend(sum(tokens), tokens[0] * HOUR + tokens[1] * OUT))
    # The bound on the input is bytes and a room for what is hidden.
    assert not budget.covers(Spend(sum(tokens) + 250, tokens[0] * HOUR + (tokens[1] + 100) * OUT))


CAPS = {
    "of the model": ({"max_tokens": 50}, {}),
    "of the call": ({}, {"max_tokens": 50}),
    "of the call, by another vendor's name": ({}, {"max_completion_tokens": 50}),
    "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
    "of the model, under the call's": ({"max_tokens": 50}, {"max_tokens": 1000}),
    "among the arguments of the model": ({"model_kwargs": {"extra_body": {"max_tokens": 50}}}, {}),
    "in the call's extra body": ({}, {"extra_body": {"max_tokens": 50}}),
}


@pytest.mark.parametrize("source", CAPS)
def test_a_smaller_cap_of_the_caller_is_respected(make_claude, server, source):
    options, arguments = CAPS[source]
    model = make_claude(options=options)
    model.invoke("Tell me all.", **arguments)
    assert list(model.stream("Tell me all.", **arguments))
    assert [request.output_cap for request in server.requests] == [50, 50]


@pytest.mark.parametrize("source", CAPS)
def test_a_larger_cap_of_the_caller_is_not_sent(make_claude, server, source):
    larger = json.loads(json.dumps(CAPS[source]).replace("50", "5000"))
    make_claude(Budget(max_tokens=500), larger[0]).invoke("Tell me all.", **larger[1])
    assert server.requests[0].output_cap < 500


def test_a_model_that_can_say_only_so_much_is_asked_for_no_more(make_claude, server):
    make_claude(Budget(max_tokens=10_000_000)).invoke("Hi")
    make_claude(Budget(max_tokens=10_000_000), {"model": "claude-next"}).invoke("Hi")
    make_claude(Budget(max_tokens=10_000_000), max_output_tokens=99).invoke("Hi")
    assert [request.output_cap for request in server.requests] == [64_000, 4_096, 99]


@pytest.mark.parametrize(
    ("budget", "short"),
    [
        (Budget(max_tokens=90), "tokens short"),
        (Budget(max_cost_usd=0.0001), r"\$.* short"),
        (Budget(max_tokens=1000, max_tool_calls=0), "1 call short"),
        (Budget(max_tokens=1000, max_latency_ms=0), "ms short"),
    ],
)
def test_what_does_not_fit_is_not_sent(make_claude, server, ledger, budget, short):
    with pytest.raises(BudgetExceeded, match=short):
        make_claude(budget).invoke("Tell me all.")
    with pytest.raises(BudgetExceeded, match=short):
        list(make_claude(budget).stream("Tell me all."))
    assert not server.requests
    assert ledger.balance(ACCOUNT).reserved == ledger.balance(ACCOUNT).spent == Spend()


TALK = [
    SystemMessage("You are a librarian."),
    HumanMessage("What is tea?"),
    AIMessage("", tool_calls=[{"name": "look_up", "args": {"topic": "tea"}, "id": "toolu_1"}]),
    ToolMessage("All about tea. " * 20, tool_call_id="toolu_1"),
    HumanMessage([{"type": "text", "text": "So?"}]),
]


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("choice", [None, "any"])
def test_tools_and_what_is_hidden_for_them_are_bounded_and_settled(
    make_claude, server, ledger, way, choice
):
    server.script(Answer(ToolCall("look_up", {"topic": "green tea"})))
    model = make_claude(Budget(max_tokens=2_400)).bind_tools([look_up], tool_choice=choice)
    answer = WAYS[way](model, TALK)
    assert answer.tool_calls[0]["args"] == {"topic": "green tea"}
    (entry,) = entries(ledger)
    assert entry.charged.tokens == server.bill.total_tokens
    assert server.requests[0].input_tokens + server.requests[0].output_cap <= 2_400


class Verdict(BaseModel):
    """What was decided."""

    better: str
    score: int


@pytest.mark.parametrize("said", [{"better": "tea", "score": 5}, {"better": 5}])
def test_structured_output_is_settled_whether_it_can_be_read_or_not(
    make_claude, server, ledger, said
):
    server.script(Answer(ToolCall("Verdict", said)))
    model = make_claude().with_structured_output(Verdict, include_raw=True)
    answer = model.invoke("Tea or coffee?")
    assert answer["parsed"] == (Verdict(**said) if "score" in said else None)
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens > 0


@pytest.mark.parametrize("options", [{"thinking": THINKING}, {"model": "claude-sonnet-5-5"}])
def test_the_shape_of_an_answer_is_not_forced_where_it_cannot_be(make_claude, server, options):
    server.script(Answer(ToolCall("Verdict", {"better": "tea", "score": 5})))
    model = make_claude(options=options).with_structured_output(Verdict)
    assert model.invoke("Tea or coffee?") == Verdict(better="tea", score=5)
    assert server.requests[0].must_call is None


def test_an_answer_in_a_schema_of_its_own_is_bounded_with_what_is_hidden_for_it(
    make_claude, server, ledger
):
    wanted = {"type": "json_schema", "schema": Verdict.model_json_schema()}
    server.script(Answer({"better": "tea", "score": 5}))
    model = make_claude(Budget(max_tokens=1_400)).bind(output_config={"format": wanted})
    assert Verdict.model_validate_json(model.invoke("Tea or coffee?").text).better == "tea"
    (request,) = server.requests
    assert request.answer_schema is not None
    assert request.input_tokens + request.output_cap <= 1_400
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


@pytest.mark.parametrize("way", EVERY_WAY)
def test_thought_has_its_room_and_is_bounded_when_it_is_sent_back(make_claude, server, ledger, way):
    server.script(Answer("Tea.", reasoning_tokens=700), Answer("Yes."))
    model = make_claude(Budget(max_tokens=9_000), {"thinking": THINKING})
    thought = WAYS[way](model, "Tea or coffee?")
    WAYS[way](model, [HumanMessage("Tea or coffee?"), thought, HumanMessage("Really?")])
    first, second = server.requests
    assert thought.text == "Tea."
    assert first.bill.reasoning_tokens == 700
    assert second.input_tokens > 700
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens
    (_, entry) = entries(ledger)
    assert entry.reserved.tokens - second.output_cap >= second.input_tokens


def test_thought_that_does_not_fit_is_not_sent(make_claude, server):
    thoughtful = {"thinking": THINKING}
    with pytest.raises(BudgetExceeded, match="tokens short"):
        make_claude(Budget(max_tokens=1_100), thoughtful).invoke("Tea?")
    with pytest.raises(InvalidInput, match=r"use 1,025 or more.*thinking\.budget_tokens"):
        make_claude(options=thoughtful).invoke("Tea?", max_tokens=1_024)
    with pytest.raises(InvalidInput, match="use 1,025 or more"):
        make_claude(options=thoughtful, max_output_tokens=500).invoke("Tea?")
    assert not server.requests


IMAGE = HumanMessage(
    [
        {"type": "text", "text": "What is this?"},
        {
            "type": "image",
            "source_type": "base64",
            "mime_type": "image/png",
            "data": "iVBORw0KGgo=",
        },
    ]
)


def test_an_image_needs_a_bound_where_tokens_or_money_are_limited(make_claude, server, ledger):
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        make_claude().invoke([IMAGE])
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        make_claude(Budget(max_cost_usd=1)).invoke([IMAGE])
    assert not server.requests
    make_claude(Budget(max_tokens=3000), tokens_per_attachment=1_500).invoke([IMAGE])
    (request,) = server.requests
    assert request.input_tokens + request.output_cap <= 3_000
    assert request.output_cap > 1_000


def test_a_price_must_be_known_where_money_is_limited(make_claude, server):
    dear = [
        ({"model": "our-model"}, "our-model"),
        ({"inference_geo": "us"}, "tier 'us'"),
        ({"model_kwargs": {"service_tier": "reserved"}}, "tier 'reserved'"),
    ]
    for options, told in dear:
        with pytest.raises(PriceUnknown, match=told):
            make_claude(Budget(max_cost_usd=1), options).invoke("Hi")
    assert not server.requests
    standard = {"model_kwargs": {"service_tier": "standard_only"}}
    make_claude(Budget(max_cost_usd=1), standard).invoke("Hi")


FREE = {
    "bad request": ErrorStatus(status=400, message="max_tokens: too large"),
    "no such key": Unauthorized(),
    "not allowed": ErrorStatus(status=403),
    "no such model": ErrorStatus(status=404),
    "too large": ErrorStatus(status=413),
    "too many requests": TooManyRequests(retry_after_s=600),
}


@pytest.mark.parametrize("case", FREE)
@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_what_the_server_refused_is_free(make_claude, server, ledger, case, way):
    server.script(FREE[case])
    with pytest.raises(ModelUnavailable, match=r"refused|too many|later|check"):
        WAYS[way](make_claude(), "Hi")
    assert {entry.status for entry in entries(ledger)} == {"released"}
    assert len(server.requests) == 1
    assert server.bill.total_tokens == 0


LOST = {
    "broken before a byte": Reset(),
    "broken in the middle": ResetMidAnswer(),
    "no JSON": MalformedJson(),
    "ended in the middle": TruncatedStream(),
    "failed": ServerError(billed=True),
}


@pytest.mark.parametrize("case", LOST)
@pytest.mark.parametrize("way", ["invoke", "stream", "astream"])
def test_what_may_have_been_billed_is_charged_in_full(make_claude, server, ledger, case, way):
    server.script(LOST[case])
    with suppress(ModelUnavailable):
        WAYS[way](make_claude(Budget(max_tokens=500), attempts_max=1), "Tell me all.")
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"
    assert entry.charged.tokens == entry.reserved.tokens >= server.bill.total_tokens > 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Overloaded, ServerError])
@pytest.mark.parametrize("max_retries", [0, 5])
def test_each_attempt_is_one_request_on_the_bill(make_claude, server, ledger, fault, max_retries):
    server.default = fault()
    with pytest.raises(ModelUnavailable):
        make_claude(options={"max_retries": max_retries, "max_tokens": 100}).invoke("Hi")
    assert len(server.requests) == 2


def test_the_client_of_a_model_that_was_used_is_not_taken_over(server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=5_000))
    model = claude(server, max_retries=5, max_tokens=1_000)
    model.invoke("Hi")
    asyncio.run(model.ainvoke("Hi"))
    server.script(TooManyRequests(times=2))
    with pytest.raises(ModelUnavailable):
        metered(model, ledger, ACCOUNT).invoke("Hi")
    assert len(server.requests) == 4
    assert (model.max_tokens, model.max_retries) == (1_000, 5)
    model.invoke("Hi")
    assert server.requests[-1].output_cap == 1_000


@pytest.mark.parametrize("fault", [MissingUsage, NegativeUsage, ZeroUsage])
@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_what_has_no_true_count_is_charged_in_full(make_claude, server, ledger, fault, way):
    server.script(fault())
    with suppress(ModelUnavailable):  # the client cannot read an answer without a count
        WAYS[way](make_claude(Budget(max_tokens=400), attempts_max=1), "Hi")
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"
    assert entry.charged.tokens == entry.reserved.tokens >= server.bill.total_tokens


def test_more_than_was_allowed_is_recorded_and_ends_it(make_claude, server, ledger):
    server.script(OverCap(extra_tokens=300))
    model = make_claude(Budget(max_tokens=400))
    model.invoke("Hi")
    (entry,) = entries(ledger)
    assert entry.is_overrun
    assert entry.charged.tokens == server.bill.total_tokens > 400
    with pytest.raises(BudgetExceeded):
        model.invoke("Hi again")


@pytest.mark.parametrize("callers", [1, 8])
def test_it_is_never_over_however_many_ask(make_claude, server, ledger, callers):
    budget = Budget(max_tokens=12_000, max_cost_usd=0.04)
    model = make_claude(budget, {"max_tokens": 300}, patience_ms=30_000)

    def ask_on(number: int) -> None:
        with suppress(BudgetExceeded):
            for turn in range(100):
                model.invoke(f"Question {turn} of caller {number}.")

    server.default = Answer(tokens=250)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(ask_on, range(callers)))
    spent = ledger.balance(ACCOUNT).spent
    assert spent.tokens == server.bill.total_tokens
    assert spent.cost_nano_usd == cost(server.bill)
    assert budget.covers(spent)
    assert spent.cost_nano_usd > 0.95 * 40_000_000


UNSENT = {
    "a lone surrogate": ({}, "tea \ud800"),
    "a newline in the key": ({"api_key": "k\nX-Other: 1"}, "tea"),
    "nobody at the address": ({"base_url": "http://127.0.0.1:9"}, "tea"),
}


@pytest.mark.parametrize("case", UNSENT)
def test_what_cannot_be_sent_is_free(make_claude, server, ledger, case):
    options, text = UNSENT[case]
    with pytest.raises(ModelUnavailable):
        make_claude(options=options).invoke(text)
    assert {entry.status for entry in entries(ledger)} == {"released"}
    assert not server.requests


@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_a_call_is_cut_at_its_deadline(make_claude, server, ledger, way):
    server.script(Hang())
    with pytest.raises(ModelUnavailable, match="deadline"):
        WAYS[way](make_claude(Budget(max_tokens=400, max_latency_ms=500)), "Hi")
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"


def test_a_large_answer_is_read_whole(make_claude, server, ledger):
    server.script(Answer("tea and cake " * 12_000))
    answer = make_claude(Budget(max_tokens=100_000)).invoke("Tell me all.")
    assert answer.text == "tea and cake " * 12_000
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


def test_what_was_paid_under_a_run_is_not_paid_again(make_claude, server):
    server.script(Answer("Tea.", reasoning_tokens=20))
    thoughtful = {"thinking": THINKING}
    for _ in range(2):
        answer = make_claude(options=thoughtful, run="morning").invoke("Tea or coffee?")
        assert answer.text == "Tea."
    assert len(server.requests) == 1


def test_an_agent_of_langchains_gives_it_a_cap_of_what_is_left(server, ledger):
    ledger.open(ACCOUNT, Budget(max_cost_usd=0.05))
    server.script(Answer(ToolCall("look_up", {"topic": "tea"})), Answer("It is a leaf."))
    held = BudgetMiddleware(ledger, ACCOUNT)
    agent = create_agent(claude(server), [look_up], middleware=[held])
    said = agent.invoke({"messages": [("user", "What is tea?")]})["messages"]
    assert said[-1].text == "It is a leaf."
    assert all(request.output_cap < 10_000 for request in server.requests)
    assert ledger.balance(ACCOUNT).spent.cost_nano_usd == cost(server.bill)


def test_an_agent_is_told_that_an_answer_was_cut_before_it_was_of_use(server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=300))
    server.script(Answer("Tea.", reasoning_tokens=5_000))
    agent = create_agent(claude(server), [], middleware=[BudgetMiddleware(ledger, ACCOUNT)])
    last = agent.invoke({"messages": [("user", "What is tea?")]})["messages"][-1]
    assert "the answer was cut before any of it was of use" in last.text
