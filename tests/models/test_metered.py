"""A metered model in every way it can be called: capped, settled at the wire, never over."""

import asyncio
import json
from contextlib import nullcontext, suppress
from decimal import Decimal

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from pydantic import BaseModel

from tests.harness.llm_server import (
    Answer,
    MissingUsage,
    NegativeUsage,
    OverCap,
    ToolCall,
    ZeroUsage,
)
from tests.long_cases import long_but
from tests.models.conftest import ACCOUNT, client, entries
from thrifty import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    ModelUnavailable,
    PriceUnknown,
    Spend,
    TokenPrice,
    metered,
)


async def collected(pieces):
    return [piece async for piece in pieces]


def joined(pieces):
    return sum(pieces[1:], pieces[0])


WAYS = {
    "invoke": lambda model, said: model.invoke(said),
    "ainvoke": lambda model, said: asyncio.run(model.ainvoke(said)),
    "batch": lambda model, said: model.batch([said])[0],
    "abatch": lambda model, said: asyncio.run(model.abatch([said]))[0],
    "stream": lambda model, said: joined(list(model.stream(said))),
    "astream": lambda model, said: joined(asyncio.run(collected(model.astream(said)))),
}
EVERY_WAY = long_but(WAYS, "invoke", "astream")
"""For what hardly depends on it: two are tried always, the others with `--long`."""


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_calling_is_settled_at_the_servers_count(make, server, ledger, api, way):
    server.script(Answer("Yes, indeed.", reasoning_tokens=30, cached_input_tokens=8))
    model = make(Budget(max_tokens=2000, max_cost_usd=0.05), api)
    answer = WAYS[way](model, "Is tea better than coffee? " * 3)
    assert answer.text == "Yes, indeed."
    bill = server.bill
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.charged.tokens == bill.total_tokens == answer.usage_metadata["total_tokens"]
    # gpt-4o, dollars a million tokens: 2.50 in, 1.25 cached, 10 out.
    fresh = bill.input_tokens - bill.cached_input_tokens
    nano_usd = fresh * 2_500 + bill.cached_input_tokens * 1_250 + bill.output_tokens * 10_000
    assert entry.charged.cost_nano_usd == nano_usd
    assert entry.charged.tool_calls == len(server.requests) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "budget",
    [
        Budget(max_tokens=700),
        Budget(max_cost_usd=0.004),
        Budget(max_tokens=9000, max_cost_usd=0.004),
    ],
)
def test_the_cap_that_is_sent_is_all_that_tokens_and_money_afford(
    make, server, ledger, api, way, budget
):
    server.script(Answer(tokens=5000))
    WAYS[way](make(budget, api), "Tell me all.")
    (request,) = server.requests
    assert budget.covers(ledger.balance(ACCOUNT).spent)
    worst = worst_case(request.input_tokens, request.output_cap)
    assert budget.covers(worst)
    assert server.bill.total_tokens == worst.tokens
    # The bound on the input is tight: not much is left unused.
    assert not budget.covers(worst + worst_case(0, 40))


def worst_case(tokens_in: int, tokens_out: int) -> Spend:
    return Spend(tokens_in + tokens_out, tokens_in * 2_500 + tokens_out * 10_000)


CAPS = {
    "of the model": ({"max_tokens": 50}, {}),
    "of the call": ({}, {"max_tokens": 50}),
    "of the call, by its new name": ({}, {"max_completion_tokens": 50}),
    "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
    "of the model, under the call's": ({"max_tokens": 50}, {"max_completion_tokens": 1000}),
    "in the extra body": ({"extra_body": {"max_tokens": 50}}, {}),
    "in the call's extra body": ({}, {"extra_body": {"max_tokens": 50}}),
    "by the name of the other protocol": ({}, {"max_output_tokens": 50}),
}


@pytest.mark.parametrize("source", CAPS)
def test_a_smaller_cap_of_the_caller_is_respected(make, server, api, source):
    options, arguments = CAPS[source]
    model = make(api=api, options=options)
    model.invoke("Tell me all.", **arguments)
    assert server.requests[0].output_cap == 50
    assert list(model.stream("Tell me all.", **arguments))
    assert server.requests[1].output_cap == 50


def test_a_server_that_knows_only_the_older_name_gets_it(make, server):
    make(Budget(max_tokens=500), model="llama3", cap_field="max_tokens").invoke("Hi")
    assert 0 < server.requests[0].body["max_tokens"] <= 500
    assert "max_completion_tokens" not in server.requests[0].body


def test_a_model_that_can_say_only_so_much_is_asked_for_no_more(make, server):
    make(Budget(max_tokens=10_000_000)).invoke("Hi")
    make(Budget(max_tokens=10_000_000), model="llama3").invoke("Hi")
    make(Budget(max_tokens=10_000_000), max_output_tokens=99).invoke("Hi")
    assert [request.output_cap for request in server.requests] == [16_384, 4_096, 99]


@pytest.mark.parametrize(
    ("budget", "short"),
    [
        (Budget(max_tokens=20), "tokens short"),
        (Budget(max_cost_usd=0.0001), r"\$.* short"),
        (Budget(max_tokens=1000, max_tool_calls=0), "1 call short"),
        (Budget(max_tokens=1000, max_latency_ms=0), "ms short"),
    ],
)
def test_what_does_not_fit_is_not_sent(make, server, ledger, api, budget, short):
    model = make(budget, api)
    with pytest.raises(BudgetExceeded, match=short):
        model.invoke("Tell me all.")
    with pytest.raises(BudgetExceeded, match=short):
        list(model.stream("Tell me all."))
    assert not server.requests
    assert ledger.balance(ACCOUNT).reserved == ledger.balance(ACCOUNT).spent == Spend()


def test_a_stump_of_an_answer_is_not_bought(make, server):
    with pytest.raises(BudgetExceeded, match="short"):
        make(Budget(max_tokens=120), useful_tokens=200).invoke("Tell me all.")
    assert not server.requests
    # What the caller asks to be short is useful so.
    make(Budget(max_tokens=120), useful_tokens=200).invoke("Yes or no?", max_tokens=4)
    assert server.requests[0].output_cap == 4


@tool
def look_up(topic: str) -> str:
    """Looks up a topic in the encyclopedia, and returns the whole of the article on it."""
    return f"All about {topic}."


TALK = [
    SystemMessage("You are a librarian."),
    HumanMessage("What is tea?"),
    AIMessage("", tool_calls=[{"name": "look_up", "args": {"topic": "tea"}, "id": "call_1"}]),
    ToolMessage("All about tea. " * 20, tool_call_id="call_1"),
    HumanMessage([{"type": "text", "text": "So?"}]),
]


@pytest.mark.parametrize("way", WAYS)
def test_tools_and_talks_are_bounded_called_and_settled(make, server, ledger, api, way):
    server.script(Answer(ToolCall("look_up", {"topic": "green tea"})))
    model = make(Budget(max_tokens=900), api).bind_tools([look_up])
    answer = WAYS[way](model, TALK)
    assert answer.tool_calls[0]["args"] == {"topic": "green tea"}
    (entry,) = entries(ledger)
    assert entry.charged.tokens == server.bill.total_tokens
    assert server.requests[0].input_tokens + server.requests[0].output_cap <= 900


class Verdict(BaseModel):
    """What was decided."""

    better: str
    score: int


@pytest.mark.parametrize("include_raw", [False, True])
def test_structured_output_works(make, server, api, include_raw):
    server.script(Answer({"better": "tea", "score": 5}))
    model = make(api=api).with_structured_output(Verdict, include_raw=include_raw)
    answer = model.invoke("Tea or coffee?")
    verdict = answer["parsed"] if include_raw else answer
    assert verdict == Verdict(better="tea", score=5)


@pytest.mark.parametrize("bad", ['{"better": "tea", "sc', '{"better": 5}', "no JSON"])
def test_structured_output_that_cannot_be_read_is_settled_all_the_same(
    make, server, ledger, api, bad
):
    server.script(Answer(ToolCall("Verdict", bad)))
    model = make(api=api).with_structured_output(Verdict, include_raw=True)
    answer = model.invoke("Tea or coffee?")
    assert answer["parsed"] is None
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens > 0


VERDICT = {
    "type": "json_schema",
    "json_schema": {
        "name": "V",
        "schema": {**Verdict.model_json_schema(), "additionalProperties": False},
    },
}
"""A schema that the server is given itself, and not as a tool."""


@pytest.mark.parametrize("fit", [8000, 60])
def test_an_answer_in_a_schema_of_its_own_is_settled_even_cut(make, server, ledger, fit):
    server.script(Answer({"better": "tea " * 50, "score": 5}))
    model = make().bind(response_format=VERDICT, max_tokens=fit)
    with suppress(ModelUnavailable) if fit == 60 else nullcontext():
        model.invoke("Tea or coffee?")
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens > 0
    assert ledger.balance(ACCOUNT).reserved == Spend()


def test_an_answer_in_a_schema_that_was_cut_is_not_replayed(make, server, ledger):
    verdict = {"better": "tea", "score": 5}
    server.script(Answer({**verdict, "better": "tea " * 50}), Answer(verdict))

    def asked():
        model = make(run="morning").bind(response_format=VERDICT, max_tokens=60)
        return model.invoke("Tea or coffee?").text

    with pytest.raises(ModelUnavailable):
        asked()
    assert [(entry.status, entry.answer) for entry in entries(ledger)] == [("settled", "")]
    assert json.loads(asked()) == verdict
    assert len(server.requests) == 2


IMAGE = HumanMessage(
    [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
)


def test_an_image_needs_a_bound_where_tokens_or_money_are_limited(make, server, ledger, api):
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        make(api=api).invoke([IMAGE])
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        make(Budget(max_cost_usd=1), api).invoke([IMAGE])
    assert not server.requests
    assert ledger.balance(ACCOUNT).reserved == Spend()
    make(Budget(max_tokens=3000), api, tokens_per_attachment=1000).invoke([IMAGE])
    assert server.requests[0].output_cap <= 2000
    make(Budget(max_tool_calls=5), api).invoke([IMAGE])


@pytest.mark.parametrize(
    ("api", "arguments", "told"),
    [
        ("chat", {"n": 2}, "ask once for each answer"),
        ("chat", {"extra_body": {"n": 3}}, "ask once for each answer"),
        ("responses", {"max_tokens": 5}, "use 16 or more"),
        ("chat", {"max_tokens": -1}, "whole number from 1"),
        ("chat", {"max_tokens": True}, "whole number from 1"),
        ("responses", {"previous_response_id": "resp_1"}, "what it has stored"),
        ("responses", {"tools": [{"type": "web_search"}]}, "billed, at the provider"),
        ("chat", {"web_search_options": {}, "modalities": ["text", "audio"]}, "sound"),
    ],
)
def test_what_has_no_bound_is_refused(make, server, api, arguments, told):
    with pytest.raises(InvalidInput, match=told):
        make(api=api).invoke("Hi", **arguments)
    assert not server.requests


def test_a_price_must_be_known_where_money_is_limited(make, server):
    with pytest.raises(PriceUnknown, match="our-model"):
        make(Budget(max_cost_usd=1), model="our-model").invoke("Hi")
    assert not server.requests
    own = {"our-model": TokenPrice(Decimal("0.2"), Decimal("0.8"))}
    make(Budget(max_cost_usd=1), model="our-model", prices=own).invoke("Hi")
    make(Budget(max_tokens=500), model="our-model").invoke("Hi")


def test_a_tier_has_its_own_price_or_none(make, server, ledger):
    model = make(Budget(max_cost_usd=1), model="gpt-5")
    with pytest.raises(PriceUnknown, match="tier 'scale'"):
        model.invoke("Hi", service_tier="scale")
    assert not server.requests
    model.invoke("Hi", service_tier="flex")
    bill = server.bill
    spent = ledger.balance(ACCOUNT).spent
    assert spent.cost_nano_usd == bill.input_tokens * 625 + bill.output_tokens * 5_000


@pytest.mark.parametrize("fault", [MissingUsage, NegativeUsage, ZeroUsage])
@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_what_has_no_true_count_is_charged_in_full(make, server, ledger, api, fault, way):
    server.script(fault())
    WAYS[way](make(Budget(max_tokens=400), api), "Hi")
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"
    assert entry.charged.tokens == entry.reserved.tokens >= server.bill.total_tokens


def test_more_than_was_allowed_is_recorded_and_ends_it(make, server, ledger, api):
    server.script(OverCap(extra_tokens=100))
    model = make(Budget(max_tokens=400), api)
    model.invoke("Hi")
    (entry,) = entries(ledger)
    assert entry.is_overrun
    assert entry.charged.tokens == server.bill.total_tokens > 400
    with pytest.raises(BudgetExceeded):
        model.invoke("Hi again")


def test_a_chain_is_a_chain(make, server):
    server.script(Answer("Cha."))
    chain = ChatPromptTemplate.from_template("What is {it}?") | make()
    assert chain.invoke({"it": "tea"}).text == "Cha."


def test_the_model_that_was_given_stays_as_it_was(server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=100))
    model = client(server, max_tokens=5000, max_retries=1)
    metered(model, ledger, ACCOUNT).invoke("Hi")
    assert (model.max_tokens, model.max_retries, model.root_async_client.max_retries) == (
        5000,
        1,
        1,
    )
    model.invoke("Hi")
    assert server.requests[1].output_cap == 5000


def test_only_chat_models_of_langchain_openai_are_taken(ledger, server):
    with pytest.raises(InvalidInput, match="langchain-openai"):
        metered(client(server).bind(stop=["x"]), ledger, ACCOUNT)
    with pytest.raises(KeyError):
        metered(client(server), ledger, "never opened")
    with pytest.raises(InvalidInput, match="ledger and account"):
        metered(client(server), ledger)
    with pytest.raises(InvalidInput, match="registered executor"):
        metered(client(server)).invoke("Hi")
