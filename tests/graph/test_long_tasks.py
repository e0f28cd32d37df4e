"""A task of any length is part of what is estimated, planned, reserved and refused."""

import re

import pytest
from langgraph.store.memory import InMemoryStore

from tests.graph.conftest import TASK, decisions_of, receipt_of
from tests.harness.llm_server import Answer
from thrifty import Plan, Spend, Step, StepOption

LONG_TASK = f"{TASK} Keep to this brief:\n" + "\n".join(
    f"- Depot {number} has {number % 7 + 2} vans, and its manager wants a weekly report."
    for number in range(120)
)
"""Some 7 kB."""
NO_PROPOSALS = {"propose_options": False}
ANSWER = StepOption("Answer (LLM)", "Answer", "llm", "says it", Spend(600, 0, 900, 1), 10.0)


@pytest.mark.parametrize("tokens", [20_000, 200_000])
def test_a_long_task_reaches_a_model(online, server, tokens):
    assert len(LONG_TASK.encode()) > 6_000
    budget = {"max_tokens": tokens}
    result = online().invoke({"task": LONG_TASK, "budget": budget}, context=NO_PROPOSALS)
    receipt = receipt_of(result)
    by_model = [line for line in receipt.lines if line.executor == "llm"]
    assert result["status"] == "done"
    assert len(by_model) == len(server.requests) == 4
    assert all("Depot 119" in str(request.body) for request in server.requests)
    assert receipt.spent.tokens == server.bill.total_tokens <= tokens


def test_a_plan_counts_the_task_for_every_model_call(online, server):
    task = {"task": LONG_TASK, "budget": {"max_tokens": 200_000}}
    result = online().invoke(task, context=NO_PROPOSALS)
    options = Plan.from_state(result["plan"]).chosen
    planned = {option.name: option.estimate for option in options if option.executor == "llm"}
    for line in receipt_of(result).lines:
        if line.executor == "llm" and line.label != "Quality pass (LLM)":  # it reads the draft too
            assert planned[line.label].tokens >= line.actual.tokens > 2_000


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("limit", ["max_tokens", "max_cost_nano_usd"])
def test_a_refusal_says_how_much_it_takes_and_that_is_enough(online, server, required, limit):
    agent = online(catalog=[Step("Answer", (ANSWER,), required=required)])
    given = {"max_tokens": 1_000} if limit == "max_tokens" else {"max_cost_usd": 0.001}
    refused = agent.invoke({"task": LONG_TASK, "budget": given}, context=NO_PROPOSALS)
    assert refused["status"] == "halted"
    assert not server.requests
    reason = receipt_of(refused).halt_reason
    said = re.search(r"'Answer \(LLM\)' is (\$?)([\d.,]+) (tokens )?short", reason)
    missing = float(said[2].replace(",", ""))
    name, had = next(iter(given.items()))
    enough = {name: had + (missing if said[1] else int(missing))}
    result = agent.invoke({"task": LONG_TASK, "budget": enough}, context=NO_PROPOSALS)
    assert (result["status"], len(server.requests)) == ("done", 1)
    assert receipt_of(result).within_budget


def test_an_answer_to_a_long_task_is_cut_no_sooner_than_that_to_a_short_one(online, server, ledger):
    agent = online(catalog=[ANSWER])
    budget = {"max_tokens": 100_000}
    for task in (TASK, LONG_TASK):
        agent.invoke({"task": task, "budget": budget}, context=NO_PROPOSALS)
    short, long = (request.output_cap for request in server.requests)
    assert short >= long >= 4 * 300
    for entry_cap, request in zip((short, long), server.requests, strict=True):
        assert request.output_cap == entry_cap < 2_000


def test_what_a_long_task_comes_to_says_nothing_against_short_ones(online, server):
    server.script(Answer(tokens=450, times=None))
    agent = online(catalog=[ANSWER], store=InMemoryStore())
    for _ in range(6):
        agent.invoke({"task": LONG_TASK, "budget": {"max_tokens": 9_000}}, context=NO_PROPOSALS)
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 9_000}}, context=NO_PROPOSALS)
    assert decisions_of(result, "options") == ["estimates are drawn from 6 bills of earlier runs"]
    (option,) = Plan.from_state(result["plan"]).chosen
    assert option.estimate.tokens == pytest.approx(600, rel=0.4)


def test_proposals_are_asked_for_with_the_task_counted(online, server):
    budget = {"max_tokens": 20_000}
    result = online().invoke({"task": LONG_TASK, "budget": budget})
    assert any("propose three" in request.prompt for request in server.requests)
    assert receipt_of(result).within_budget
    tight = online().invoke({"task": LONG_TASK, "budget": {"max_tokens": 9_000}})
    (reason,) = decisions_of(tight, "options")
    assert reason.startswith("extra steps were not asked for: with what the call may take, ")
