"""A metered model of Anthropic's, in what `vendors/` does not ask of every vendor."""

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel

from tests.harness.llm_server import (
    Answer,
    ToolCall,
)
from tests.models.conftest import ACCOUNT, claude, entries
from tests.models.questions import look_up
from tests.models.vendors.anthropic import ANTHROPIC
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import (
    Budget,
    BudgetExceeded,
    BudgetMiddleware,
    InvalidInput,
)

THINKING = {"type": "enabled", "budget_tokens": 1_024}


def long_ago(hours: bool) -> list:
    """A message that is to be kept in a cache."""
    kept = {"type": "ephemeral", **({"ttl": "1h"} if hours else {})}
    block = {"type": "text", "text": "Is tea better than coffee? " * 5, "cache_control": kept}
    return [SystemMessage([block]), HumanMessage("Say why.")]


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize(
    ("hours", "counted"),
    [
        (False, {"cached_input_tokens": 8, "written_input_tokens": 5}),
        (True, {"cached_input_tokens": 8, "written_1h_input_tokens": 6}),
    ],
)
def test_what_is_read_from_a_cache_and_written_to_it_has_its_price(
    make_claude, server, ledger, way, hours, counted
):
    server.script(Answer("Yes, indeed.", reasoning_tokens=30, **counted))
    answer = WAYS[way](make_claude(Budget(max_tokens=2000, max_cost_usd=0.05)), long_ago(hours))
    assert answer.text == "Yes, indeed."
    bill = server.bill
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.charged.tokens == bill.total_tokens == answer.usage_metadata["total_tokens"]
    assert entry.charged.cost_nano_usd == ANTHROPIC.prices.cost(bill)
    assert entry.charged.tool_calls == len(server.requests) == 1


class Verdict(BaseModel):
    """What was decided."""

    better: str
    score: int


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
    assert ledger.balance(ACCOUNT).spent.cost_nano_usd == ANTHROPIC.prices.cost(server.bill)


def test_an_agent_is_told_that_an_answer_was_cut_before_it_was_of_use(server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=300))
    server.script(Answer("Tea.", reasoning_tokens=5_000))
    agent = create_agent(claude(server), [], middleware=[BudgetMiddleware(ledger, ACCOUNT)])
    last = agent.invoke({"messages": [("user", "What is tea?")]})["messages"][-1]
    assert "the answer was cut before any of it was of use" in last.text
