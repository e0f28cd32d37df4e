"""Tools of an agent that a person approves, or whose calls are made once."""

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import ACCOUNT, client
from thrifty import Budget, BudgetMiddleware, InvalidInput, MemoryLedger, Spend

THREAD: Any = {"configurable": {"thread_id": "t"}}
ASK = {"messages": [("user", "Tell Ann")]}
sent: list[str] = []
failures: list[BaseException] = []


@tool
def send(to: str, times: int = 1) -> str:
    """Sends a mail."""
    sent.extend([to] * times)
    if failures:
        raise failures.pop()
    return f"Sent to {to}."


@tool
def send_asking(to: str) -> str:
    """Sends a mail, and asks first."""
    sent.append(f"{to}: {interrupt('really?')}")
    return "Sent."


@pytest.fixture(autouse=True)
def _nothing_sent():
    sent.clear()
    failures.clear()


@pytest.fixture(params=["invoke", "ainvoke"])
def run(request, server, ledger: MemoryLedger):
    """Runs an agent whose model calls the tool once."""
    ledger.open(ACCOUNT, Budget(max_tokens=50_000))
    saver = InMemorySaver()

    def run(given, *, uses=send, config=THREAD, checkpointer=saver, **terms):
        held = BudgetMiddleware(ledger, ACCOUNT, run="mine", **terms)
        agent = create_agent(client(server), [uses], middleware=[held], checkpointer=checkpointer)
        if request.param == "invoke":
            return agent.invoke(given, config)
        return asyncio.run(agent.ainvoke(given, config))

    run.saver = saver  # type: ignore[attr-defined]
    server.script(Answer(ToolCall("send", {"to": "Ann"})), Answer("Ann is told.", times=None))
    return run


def tool_message(result) -> ToolMessage:
    (message,) = [m for m in result["messages"] if isinstance(m, ToolMessage)]
    return message


def question_of(result):
    (asked,) = result["__interrupt__"]
    return asked.value


def before_tools(saver):
    """The configuration of the state in which the tool was to be called first."""
    for held in reversed(list(saver.list(THREAD))):
        messages = held.checkpoint["channel_values"].get("messages", ())
        if messages and getattr(messages[-1], "tool_calls", None):
            return held.config
    raise AssertionError("no tool was called")


@pytest.mark.parametrize(
    ("answer", "told", "to"),
    [
        ("go", "Sent to Ann.", ["Ann"]),
        ({"input": {"to": "Bob", "times": 2}}, "Sent to Bob.", ["Bob", "Bob"]),
        ("leave_out", "Not called: a person left it out.", []),
    ],
)
def test_a_person_approves_edits_or_leaves_out(run, ledger, answer, told, to):
    question = question_of(run(ASK, approve=["send"]))
    assert (question["about"], question["executor"]) == ("call", "send")
    assert question["input"] == {"to": "Ann"}
    assert "Sends a mail." in question["reason"]
    assert sent == []
    assert ledger.balance(ACCOUNT).reserved == Spend()
    result = run(Command(resume=answer), approve=["send"])
    assert tool_message(result).content == told
    assert sent == to
    assert result["messages"][-1].text == "Ann is told."
    assert ledger.balance(ACCOUNT).reserved == Spend()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"input": {"to": "Bob", "from": "Eve"}}, "answer.input.from: got 'Eve'; known arguments"),
        ({"input": {"to": 7}}, "answer.input.to: got 7; "),
        ({"input": {}}, "answer.input.to: got "),
        ({"tool": "pay"}, "answer: got {'tool': 'pay'}; answer"),
    ],
)
def test_an_input_that_the_tool_does_not_take_is_refused(run, answer, error):
    run(ASK, approve=["send"])
    question = question_of(run(Command(resume=answer), approve=["send"]))
    assert question["error"].startswith(error)
    assert sent == []


def test_where_nobody_can_be_asked_it_is_not_called(run):
    result = run(ASK, approve=["send"], checkpointer=None, config=None)
    told = "Not called: it is to be approved first, and nobody can be asked."
    assert tool_message(result).content == told
    assert sent == []


def test_going_back_makes_no_call_a_second_time(run):
    first = run(ASK, effects=["send"])
    again = run(None, effects=["send"], config=before_tools(run.saver))
    assert sent == ["Ann"]
    assert tool_message(again).content == tool_message(first).content == "Sent to Ann."


def test_the_same_call_in_another_message_is_another(run, server):
    run(ASK, effects=["send"])
    server.clear()
    server.script(Answer(ToolCall("send", {"to": "Ann"})), Answer("Again.", times=None))
    run({"messages": [("user", "Tell Ann again")]}, effects=["send"])
    assert sent == ["Ann", "Ann"]


@pytest.mark.parametrize("answer", ["again", "done", "leave_out"])
def test_a_call_that_was_cut_off_is_asked_about(run, answer):
    failures.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(ASK, effects=["send"])
    question = question_of(run(None, effects=["send"]))
    assert question["reason"] == "it was called, and nobody knows whether it happened"
    assert sent == ["Ann"]
    result = run(Command(resume=answer), effects=["send"])
    assert sent == (["Ann", "Ann"] if answer == "again" else ["Ann"])
    told = {"again": "Sent to Ann.", "done": "Done."}
    assert tool_message(result).content.startswith(told.get(answer, "Not called again: it was"))


def test_a_call_that_failed_is_asked_about(run):
    failures.append(ConnectionError())
    with pytest.raises(ConnectionError):
        run(ASK, effects=["send"])
    question = question_of(run(None, effects=["send"]))
    assert (question["about"], question["reason"]) == ("effect", "it raised ConnectionError")
    run(Command(resume="again"), effects=["send"])
    assert sent == ["Ann", "Ann"]


def test_a_tool_with_effects_may_ask_by_itself(run, server):
    server.clear()
    server.script(Answer(ToolCall("send_asking", {"to": "Ann"})), Answer("Told.", times=None))
    terms = {"uses": send_asking, "effects": ["send_asking"], "approve": ["send_asking"]}
    assert question_of(run(ASK, **terms))["about"] == "call"
    assert question_of(run(Command(resume="go"), **terms)) == "really?"
    assert tool_message(run(Command(resume="yes"), **terms)).content == "Sent."
    assert sent == ["Ann: yes"]


def test_names_of_tools_are_a_list(ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=5))
    for terms in ({"approve": "send"}, {"effects": [3]}):
        with pytest.raises(InvalidInput, match="use a tuple of texts"):
            BudgetMiddleware(ledger, ACCOUNT, **terms)
