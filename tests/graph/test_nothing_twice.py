"""Promise 2, nothing twice: a run that is resumed or forked does no paid work again."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import TASK, receipt_of
from tests.harness.llm_server import TooManyRequests
from thrifty import Result, Spend, Step, StepOption

THREAD = {"configurable": {"thread_id": "t"}}
BUDGET = {"max_tokens": 2200, "max_tool_calls": 2}
"""The tutorial's, but for its time, which a busy machine takes longer than."""


def before(agent, node):
    """The configuration of the state from which a node was run first."""
    states = [state for state in agent.get_state_history(THREAD) if state.next == (node,)]
    return states[-1].config


@pytest.fixture
def context():
    return {"max_replans": 0}


def test_a_fork_replays_what_was_paid(online, server, context):
    agent = online(checkpointer=InMemorySaver())
    first = agent.invoke({"task": TASK, "budget": BUDGET}, THREAD, context=context)
    paid = server.bill
    again = agent.invoke(None, before(agent, "route"), context=context)
    assert server.bill == paid
    assert receipt_of(again).spent.tokens == paid.total_tokens
    assert again["draft"] == first["draft"]


def test_a_run_that_begins_again_without_its_checkpoints_buys_nothing_again(online, server):
    """Its ledger says from the start what it has spent, so that it plans and replans otherwise."""
    given = {"task": TASK, "budget": {"max_tokens": 20_000, "max_tool_calls": 9}}
    first = online(checkpointer=InMemorySaver()).invoke(given, THREAD)
    paid = server.bill
    assert len(server.requests) > 3
    again = online(checkpointer=InMemorySaver()).invoke(given, THREAD)
    assert server.bill == paid
    assert again["draft"] == first["draft"]
    assert receipt_of(again).spent.tokens == paid.total_tokens


def test_a_fork_that_comes_to_the_same_work_by_another_plan_finds_it_paid(online, server, context):
    agent = online(checkpointer=InMemorySaver())
    agent.invoke(
        {"task": TASK, "budget": {"max_tokens": 2200, "max_tool_calls": 2}}, THREAD, context=context
    )
    paid = server.bill
    assert paid.total_tokens
    planned_anew = agent.update_state(before(agent, "route"), {"revision": 2}, as_node="plan")
    agent.invoke(None, planned_anew, context=context)
    assert server.bill == paid


def test_a_fork_with_another_prompt_is_another_request_and_on_the_bill(online, server, context):
    agent = online(checkpointer=InMemorySaver())
    budget = {"max_tokens": 20_000, "max_tool_calls": 9}
    setting = {**context, "propose_options": False}
    agent.invoke({"task": TASK, "budget": budget}, THREAD, context=setting)
    asked = len(server.requests)
    prompt = "Other words. {{ task }} {{ assignment }} {{ results }} {{ length }}"
    edited = {**setting, "outline_prompt": prompt}
    again = agent.invoke(None, before(agent, "route"), context=edited)
    assert any("Other words." in request.prompt for request in server.requests[asked:])
    assert receipt_of(again).spent.tokens == server.bill.total_tokens
    assert receipt_of(again).within_budget


def test_a_released_reservation_is_made_anew_before_it_is_used(online, server, context):
    agent = online(checkpointer=InMemorySaver())
    server.clear()
    server.script(TooManyRequests(retry_after_s=50, times=None))
    budget = {**BUDGET, "max_latency_ms": 45_000}  # so that nobody waits
    agent.invoke({"task": TASK, "budget": budget}, THREAD, context=context)
    server.clear()
    again = agent.invoke(None, before(agent, "route"), context=context)
    assert server.bill.total_tokens > 0
    assert receipt_of(again).spent.tokens == server.bill.total_tokens


def test_an_executor_of_ones_own_is_not_called_again(offline):
    called = []

    def lookup(work):
        called.append(work.option.name)
        return Result("facts", spend=Spend(5, 0, 0, 1))

    option = StepOption("Facts (lookup)", "Facts", "lookup", "finds facts", Spend(10, 0, 9, 1), 5.0)
    agent = offline(
        catalog=[Step("Facts", (option,))],
        executors={"lookup": lookup},
        checkpointer=InMemorySaver(),
    )
    first = agent.invoke({"task": TASK, "budget": {"max_tokens": 50}}, THREAD)
    again = agent.invoke(None, before(agent, "route"))
    assert called == ["Facts (lookup)"]
    assert again["draft"] == first["draft"] == "## Facts\n\nfacts"
    assert receipt_of(again).spent.tokens == 5


def test_one_run_id_on_two_threads_is_two_accounts(offline):
    agent = offline(checkpointer=InMemorySaver())
    given = {"task": TASK, "run_id": "mine", "budget": {"max_tokens": 500}}
    one = agent.invoke(given, {"configurable": {"thread_id": "a"}})
    other = agent.invoke(given, {"configurable": {"thread_id": "b"}})
    assert receipt_of(one).run_id == "run:local/thread=a/named=mine"
    assert receipt_of(other).run_id == "run:local/thread=b/named=mine"
