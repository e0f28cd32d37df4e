"""What a person is asked, and what each answer does."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.graph.conftest import EDITOR, REVISED, TASK, TUTORIAL_BUDGET, decisions_of, receipt_of
from tests.harness.llm_server import Answer
from thrifty import Budget, Spend

THREAD = {"configurable": {"thread_id": "t"}}
FIRST = {"approve_plan": True}
ASK = {"on_drift": "ask"}
ASKED = {"task": TASK, "budget": TUTORIAL_BUDGET}


def question_of(result):
    (interrupt,) = result["__interrupt__"]
    return interrupt.value


@pytest.fixture
def agent(online):
    return online(checkpointer=InMemorySaver())


@pytest.fixture
def drifted(agent, server):
    """A run that waits, as the model's answers are three times as long as planned."""
    server.script(Answer(tokens=1500, times=None))
    return question_of(agent.invoke(ASKED, THREAD, context=ASK))


def test_a_plan_is_shown_before_anything_is_spent(agent, server):
    question = question_of(agent.invoke(ASKED, THREAD, context=FIRST))
    assert question["about"] == "plan"
    assert [todo["step"] for todo in question["to_do"]]
    assert question["spent"]["tokens"] == question["spent"]["tool_calls"] == 0
    assert (question["missing"], question["buys"]) == ({}, None)
    assert not server.requests
    result = agent.invoke(Command(resume="go"), THREAD, context=FIRST)
    assert result["status"] == "done"
    assert decisions_of(result, "ask") == ["a person said to go on"]
    done = {line.label for line in receipt_of(result).lines if line.status == "done"}
    assert done == {todo["option"] for todo in question["to_do"]}


def test_what_is_left_out_is_not_done_and_the_new_plan_is_shown(agent):
    first = question_of(agent.invoke(ASKED, THREAD, context=FIRST))
    unwanted = first["to_do"][0]["step"]
    answer = Command(resume={"leave_out": [unwanted]})
    second = question_of(agent.invoke(answer, THREAD, context=FIRST))
    assert second["about"] == "plan"
    assert unwanted not in {todo["step"] for todo in second["to_do"]}
    result = agent.invoke(Command(resume="go"), THREAD, context=FIRST)
    assert result["status"] == "done"
    tried = {line.label for line in receipt_of(result).lines if line.status == "done"}
    assert tried == {todo["option"] for todo in second["to_do"]}


def test_a_plan_that_is_declined_costs_nothing(agent, server):
    agent.invoke(ASKED, THREAD, context=FIRST)
    result = agent.invoke(Command(resume="finish"), THREAD, context=FIRST)
    assert (result["status"], result["draft"]) == ("halted", "")
    assert not server.requests


def test_a_plan_that_nobody_can_approve_is_not_carried_out(online, server):
    result = online().invoke(ASKED, context=FIRST)
    assert receipt_of(result).halt_reason == "the plan is to be approved, and nobody can be asked"
    assert not server.requests


def test_a_short_budget_says_what_a_raise_would_buy(agent, drifted, server):
    assert drifted["about"] == "budget"
    assert drifted["missing"]["tokens"] > 0
    buys = drifted["buys"]
    assert buys["more"]["tokens"] >= drifted["missing"]["tokens"]
    assert buys["value"] > 0
    assert buys["options"]
    server.clear()
    server.script(Answer(REVISED, when=EDITOR, times=None))
    result = agent.invoke(Command(resume={"budget": buys["budget"]}), THREAD, context=ASK)
    assert receipt_of(result).budget == Budget.from_state(drifted["budget"]).with_limits(
        buys["budget"]
    )
    plan = {option["name"] for option in result["plan"]["chosen"]}
    assert set(buys["options"]) <= plan


def test_a_short_budget_can_be_planned_with_as_it_is(agent, drifted, server):
    result = agent.invoke(Command(resume="go"), THREAD, context=ASK)
    receipt = receipt_of(result)
    assert result["status"] == "done"
    assert receipt.within_budget
    assert receipt.spent.tokens == server.bill.total_tokens


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"leave_out": ["Nonsense"]}, "leave_out: got 'Nonsense'; name a step: "),
        ({"leave_out": 5}, "leave_out: got 5; "),
        ({"limits": {}}, "answer: got {'limits': {}}; answer "),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_so(agent, drifted, answer, error):
    question = question_of(agent.invoke(Command(resume=answer), THREAD, context=ASK))
    assert question["error"].startswith(error)
    assert question["missing"] == drifted["missing"]


def test_a_run_that_has_ended_and_is_asked_once_more_can_be_raised(offline, ledger):
    """As long as the account above it has so much."""
    ledger.open("team", Budget(max_tokens=5_000))
    agent = offline(checkpointer=InMemorySaver(), account="team")
    agent.invoke({"task": TASK, "budget": {"max_tokens": 900}}, THREAD, context=FIRST)
    agent.invoke(Command(resume="finish"), THREAD, context=FIRST)
    asked = next(s for s in agent.get_state_history(THREAD) if s.next == ("approve",))
    agent.invoke(None, asked.config, context=FIRST)
    raised = Command(resume={"budget": {"max_tokens": 4_000}})
    assert "__interrupt__" in agent.invoke(raised, THREAD, context=FIRST)  # the new plan
    result = agent.invoke(Command(resume="go"), THREAD, context=FIRST)
    assert receipt_of(result).budget.max_tokens == 4_000
    assert result["status"] == "done"
    assert ledger.balance("team").reserved == Spend()
