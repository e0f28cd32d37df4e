"""An agent whose money is at its end asks a person, who may raise the limit in the ledger."""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import ACCOUNT, client
from tests.models.guard.looked_up import ASK, look_up, made
from thrifty import Budget, BudgetMiddleware, InvalidInput, Spend

pytestmark = pytest.mark.usefixtures("nothing_made")
THREAD = {"configurable": {"thread_id": "t"}}


@tool
def decide(topic: str) -> str:
    """Asks a person by itself."""
    made.append(interrupt(f"Which {topic}?"))
    return made[-1]


@pytest.fixture(params=["invoke", "ainvoke"])
def run(request, server, ledger):
    """Runs an agent on a thread, by a middleware that is made anew each time."""
    saver = InMemorySaver()

    def run(given, uses=(look_up,), checkpointer=saver):
        held = BudgetMiddleware(ledger, ACCOUNT, on_limit="ask")
        agent = create_agent(
            client(server), list(uses), middleware=[held], checkpointer=checkpointer
        )
        if request.param == "invoke":
            return agent.invoke(given, THREAD)
        return asyncio.run(agent.ainvoke(given, THREAD))

    return run


def question_of(result):
    (asked,) = result["__interrupt__"]
    return asked.value


def in_books(server, ledger) -> bool:
    balance = ledger.balance(ACCOUNT)
    assert balance.reserved == Spend()
    assert balance.budget.covers(balance.spent)
    return balance.spent.tokens == server.bill.total_tokens


def test_a_person_raises_the_limit_and_it_goes_on(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=400))
    question = question_of(run(ASK))
    assert question["about"] == "budget"
    assert question["account"] == ACCOUNT
    assert question["left"] == {"tokens": 400}
    assert question["short"]["tokens"] > 0
    assert "tokens short" in question["reason"]
    assert not server.requests
    assert ledger.balance(ACCOUNT).reserved == Spend()  # who waits holds nothing
    # As long as the limit is the same, no answer of a client's lets it go on.
    for _ in range(2):
        assert question_of(run(Command(resume="go")))["about"] == "budget"
    assert not server.requests
    ledger.set_limits(ACCOUNT, Budget(max_tokens=5_000))
    server.script(Answer(ToolCall("look_up", {"topic": "tea"})), Answer("Leaves."))
    result = run(Command(resume="go"))
    assert result["messages"][-1].text == "Leaves."
    assert made == ["tea"]
    assert len(server.requests) == 2
    assert in_books(server, ledger)


def test_what_was_paid_before_it_asked_is_not_paid_again(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=5_000, max_tool_calls=3))
    server.script(Answer(ToolCall("look_up", {"topic": "tea"})), Answer("Leaves."))
    question = question_of(run(ASK))
    assert question["short"] == {"tool_calls": 1}
    assert len(server.requests) == 1
    ledger.set_limits(ACCOUNT, Budget(max_tokens=5_000, max_tool_calls=9))
    assert run(Command(resume="go"))["messages"][-1].text == "Leaves."
    assert made == ["tea"]
    assert len(server.requests) == 2
    assert ledger.balance(ACCOUNT).spent.tool_calls == 3
    assert in_books(server, ledger)


def test_who_says_end_gets_an_answer_from_what_is_known(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=5_000, max_tool_calls=3))
    server.script(Answer(ToolCall("look_up", {"topic": "tea"})), Answer("Leaves."))
    run(ASK)
    ledger.set_limits(ACCOUNT, Budget(max_tokens=9_000, max_tool_calls=9))
    result = run(Command(resume="end"))
    assert result["messages"][-1].text == "Leaves."
    assert "tools" not in server.requests[-1].body
    assert in_books(server, ledger)


def test_who_says_end_before_anything_is_known_is_told_why(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=20))
    run(ASK, ())
    result = run(Command(resume="end"), ())
    assert result["messages"][-1].text.startswith("I have to stop here: the next call does not fit")
    assert not server.requests


@pytest.mark.parametrize("answer", [{"budget": {"max_tokens": 9_000}}, "yes", {"go": 1}])
def test_no_answer_raises_a_limit(run, server, ledger, answer):
    ledger.open(ACCOUNT, Budget(max_tokens=20))
    run(ASK)
    question = question_of(run(Command(resume=answer)))
    assert question["about"] == "budget"
    assert ledger.balance(ACCOUNT).budget == Budget(max_tokens=20)
    assert not server.requests


def test_an_answer_that_comes_too_early_is_none(run, server, ledger):
    """Sent with the question itself, or to a thread that waits for another answer."""
    ledger.open(ACCOUNT, Budget(max_tokens=20))
    assert question_of(run(Command(resume="end", update=ASK)))["about"] == "budget"


def test_the_answer_is_not_handed_to_the_next_question(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=20))
    run(ASK, [decide])
    ledger.set_limits(ACCOUNT, Budget(max_tokens=9_000))
    server.script(Answer(ToolCall("decide", {"topic": "tea"})), Answer("Leaves."))
    assert question_of(run(Command(resume="go"), [decide])) == "Which tea?"
    assert made == []
    assert run(Command(resume="green"), [decide])["messages"][-1].text == "Leaves."
    assert made == ["green"]


def test_where_nobody_can_be_asked_it_ends(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=20))
    assert run(ASK, checkpointer=None)["messages"][-1].text.startswith("I have to stop here: ")


def test_on_an_account_that_is_closed_nobody_is_asked(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    ledger.close(ACCOUNT)
    last = run(ASK)["messages"][-1]
    assert last.response_metadata["thrifty"] == {"error": "AccountClosed"}
    assert not server.requests


def test_on_limit_is_one_of_two(ledger):
    ledger.open(ACCOUNT, Budget())
    with pytest.raises(InvalidInput, match="on_limit"):
        BudgetMiddleware(ledger, ACCOUNT, on_limit="wait")
