"""A run that is answered wrongly, limited anew, forgotten, or stopped by LangGraph's own limit."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.graph.conftest import receipt_of
from tests.graph.faults.conftest import ASKED, RUN, THREAD, TOKENS, answer, catalog
from thrifty import Budget

FIRST = {"approve_plan": True}
NODES_OF_A_STEP = 3
NODES_AROUND = 3
"""generate_options, plan and finish."""


@pytest.fixture
def called():
    return []


@pytest.fixture
def agent(offline, called):
    def counted(work):
        called.append(work.option.name)
        return answer(work)

    return offline(
        catalog=catalog("ABCDEF"), executors={"mine": counted}, checkpointer=InMemorySaver()
    )


def test_an_answer_to_another_question_is_none(agent, called):
    waiting = agent.invoke(ASKED, THREAD, context=FIRST)
    again = agent.invoke(Command(resume={"0" * 32: "go"}), THREAD, context=FIRST)
    assert again["__interrupt__"] == waiting["__interrupt__"]
    assert not called
    ours = Command(resume={waiting["__interrupt__"][0].id: "go"})
    assert agent.invoke(ours, THREAD, context=FIRST)["status"] == "done"


def test_an_answer_that_is_given_again_changes_nothing(agent, called, ledger):
    agent.invoke(ASKED, THREAD, context=FIRST)
    result = agent.invoke(Command(resume="go"), THREAD, context=FIRST)
    bill, done = ledger.entries(RUN), list(called)
    for second in ("go", "finish", {"budget": {"max_tokens": 10**6}}):
        assert agent.invoke(Command(resume=second), THREAD, context=FIRST) == result
    assert (ledger.entries(RUN), called) == (bill, done)
    assert ledger.balance(RUN).budget.max_tokens == 1_000


def test_a_limit_that_is_lowered_in_the_middle_ends_the_run(offline, ledger):
    def lowers(work):
        ledger.set_limits(RUN, Budget(max_tokens=TOKENS))
        return answer(work)

    agent = offline(catalog=catalog(), executors={"mine": lowers}, checkpointer=InMemorySaver())
    result = agent.invoke(ASKED, THREAD)
    assert (result["status"], result["draft"]) == ("halted", "## A\n\ntext")
    assert receipt_of(result).spent.tokens == TOKENS


def test_a_limit_that_is_raised_in_the_middle_lets_more_be_done(offline, ledger):
    def raises(work):
        ledger.set_limits(RUN, Budget(max_tokens=100))
        return answer(work)

    steps = catalog("ABC")
    agent = offline(catalog=steps, executors={"mine": raises}, checkpointer=InMemorySaver())
    result = agent.invoke({**ASKED, "budget": {"max_tokens": 12}}, THREAD)
    assert result["status"] == "done"
    assert receipt_of(result).spent.tokens == TOKENS * len(steps)


def test_a_limit_below_what_is_spent_while_waiting_keeps_what_is_paid(agent, called):
    agent.invoke(ASKED, THREAD, context=FIRST)
    lowered = Command(resume={"budget": {"max_tokens": 3}})
    result = agent.invoke(lowered, THREAD, context=FIRST)
    assert (result["status"], called) == ("halted", [])


def test_a_thread_that_was_deleted_leaves_its_bill(offline, called, ledger):
    """Asked the same again, the run is given what it has paid for; asked otherwise, it pays."""
    saver = InMemorySaver()

    def counted(work):
        called.append(work.option.name)
        return answer(work)

    agent = offline(catalog=catalog(), executors={"mine": counted}, checkpointer=saver)
    first = agent.invoke(ASKED, THREAD)
    saver.delete_thread("t")
    assert agent.invoke(ASKED, THREAD)["draft"] == first["draft"]
    assert called == ["A", "B"]
    assert ledger.balance(RUN).spent.tokens == 2 * TOKENS
    saver.delete_thread("t")
    other = agent.invoke({**ASKED, "task": "Plan a wedding"}, THREAD)
    assert receipt_of(other).spent.tokens == ledger.balance(RUN).spent.tokens == 4 * TOKENS


@pytest.mark.parametrize("steps_done", [0, 1, 4, 6])
def test_langgraphs_own_limit_ends_a_run_with_what_it_has(agent, called, steps_done):
    """One node less than so many steps need, and with what they need; never its bare error."""
    needed = NODES_AROUND + NODES_OF_A_STEP * steps_done + 1  # the last is LangGraph's own
    result = agent.invoke(ASKED, {**THREAD, "recursion_limit": needed})
    receipt = receipt_of(result)
    assert len(called) == steps_done
    assert receipt.spent.tokens == TOKENS * steps_done
    if steps_done < 6:
        assert result["status"] == "halted"
        assert "raise recursion_limit" in receipt.halt_reason
        agent.checkpointer.delete_thread("t")
        called.clear()
        almost = needed + NODES_OF_A_STEP - 1
        assert agent.invoke(ASKED, {**THREAD, "recursion_limit": almost})["status"] == "halted"
    else:
        assert result["status"] == "done"
