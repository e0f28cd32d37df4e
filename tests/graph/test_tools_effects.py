"""Tools with effects, in the agent that answers with them: called once for the step."""

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.graph.conftest import receipt_of
from tests.harness.llm_server import Answer, ToolCall, Unauthorized
from thrifty import Executor, InvalidInput, Settings, Spend, create_budget_agent

THREAD: Any = {"configurable": {"thread_id": "t"}}
ASKED = {"task": "Tell Ann", "budget": {"max_tokens": 20_000, "max_tool_calls": 20}}
ROLES = {"strong": "gpt-5", "cheap": "gpt-5-mini"}
TO_ANN = ToolCall("send", {"to": "Ann"})
TO_BOB = ToolCall("send", {"to": "Bob"})


class Mailer:
    def __init__(self, failure: Exception | None = None) -> None:
        self.sent: list[str] = []
        self.failure = failure

    def send(self, to: str, times: int = 1) -> str:
        """Sends a mail."""
        self.sent.extend([to] * times)
        if self.failure:
            raise self.failure
        return f"Sent to {to}."


@pytest.fixture
def make(online):
    def make(mailer: Mailer, *, models: Any = None, checkpointer: Any = True, **terms: Any):
        tools = [Executor(mailer.send, **{"effects": True, **terms})]
        saver = InMemorySaver() if checkpointer else None
        return online(catalog=None, tools=tools, checkpointer=saver, models=models)

    return make


def question_of(result):
    (asked,) = result["__interrupt__"]
    return asked.value


def before(agent, node):
    return [s for s in agent.get_state_history(THREAD) if s.next == (node,)][-1].config


def told(server) -> list[str]:
    return [m.text for m in server.requests[-1].messages if m.role == "tool"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(
    ("answer", "sent", "read"),
    [
        ("go", ["Ann"], "Sent to Ann."),
        ({"input": {"to": "Bob", "times": 2}}, ["Bob", "Bob"], "Sent to Bob."),
        ("leave_out", [], "Not called: a person left it out."),
    ],
)
def test_a_person_approves_it_and_no_paid_call_is_made_again(
    make, server, ledger, way, answer, sent, read
):
    server.script(Answer(TO_ANN), Answer("Ann is told."))
    agent = make(mailer := Mailer(), approve=True)

    def run(given):
        called = getattr(agent, way)(given, THREAD)
        return asyncio.run(called) if way == "ainvoke" else called

    question = question_of(run(ASKED))
    asked = question["about"], question["executor"], question["step"], question["task"]
    assert asked == ("call", "send", "Answer", "Tell Ann")
    assert (question["input"], mailer.sent) == ({"to": "Ann"}, [])
    assert "Sends a mail." in question["reason"]
    (account,) = ledger.accounts()
    assert ledger.balance(account.name).reserved == Spend()
    result = run(Command(resume=answer))
    assert (result["status"], result["answer"]) == ("done", "Ann is told.")
    assert (mailer.sent, told(server)) == (sent, [read])
    assert len(server.requests) == 2
    receipt = receipt_of(result)
    assert receipt.spent.tokens == server.bill.total_tokens
    assert [line.label for line in receipt.lines] == ["Answer (strong, with tools)"]


def test_a_tool_that_is_a_coroutine_is_called_as_well(online, server):
    async def look(what: str) -> str:
        """Looks something up."""
        await asyncio.sleep(0)
        return f"{what}: nothing."

    server.script(Answer(ToolCall("look", {"what": "Ann"})), Answer("Nothing."))
    agent = online(catalog=None, tools=[Executor(look, effects=True)])
    assert asyncio.run(agent.ainvoke(ASKED))["answer"] == "Nothing."
    assert told(server) == ["Ann: nothing."]


def test_two_calls_are_approved_each_by_itself(make, server):
    server.script(Answer([TO_ANN, TO_BOB]), Answer("Told."))
    agent = make(mailer := Mailer(), approve=True)
    asked = agent.invoke(ASKED, THREAD)["__interrupt__"]
    answers = {
        each.id: "go" if each.value["input"] == {"to": "Bob"} else "leave_out" for each in asked
    }
    assert agent.invoke(Command(resume=answers), THREAD)["answer"] == "Told."
    assert mailer.sent == ["Bob"]


def test_where_nobody_can_be_asked_it_is_not_called(make, server):
    server.script(Answer(TO_ANN), Answer("I could not."))
    result = make(mailer := Mailer(), approve=True, checkpointer=False).invoke(ASKED)
    assert (mailer.sent, result["answer"]) == ([], "I could not.")
    assert told(server) == ["Not called: it is to be approved first, and nobody can be asked."]


@pytest.mark.parametrize("words", ["same", "other"])
@pytest.mark.parametrize("can_ask", [True, False])
def test_another_model_does_not_send_it_again(make, server, words, can_ask):
    """The first has sent it, and then could not be reached."""
    again = TO_ANN if words == "same" else TO_BOB
    server.script(Answer(TO_ANN), Unauthorized(), Answer(again), Answer("Ann is told."))
    agent = make(mailer := Mailer(), models=ROLES, checkpointer=can_ask)
    result = agent.invoke(ASKED, THREAD if can_ask else None)
    before_it = """the step has called 'send': ["Sent to Ann.", "success"]"""
    if words == "other" and can_ask:
        assert question_of(result)["reason"] == before_it
        result = agent.invoke(Command(resume="leave_out"), THREAD)
    assert [request.model for request in server.requests] == ["gpt-5"] * 2 + ["gpt-5-mini"] * 2
    assert (result["status"], result["answer"]) == ("done", "Ann is told.")
    assert mailer.sent == ["Ann"]
    if words == "same":
        assert told(server) == ["Sent to Ann."]
    elif not can_ask:
        assert told(server) == [f"Not called: {before_it}, and nobody can be asked."]


def test_what_the_first_has_sent_is_not_answered_without_its_tools(make, server):
    server.script(Answer(TO_ANN), Unauthorized(times=None))
    result = make(mailer := Mailer(), models=ROLES).invoke(ASKED, THREAD)
    assert (mailer.sent, result["status"]) == (["Ann"], "halted")


def test_where_nothing_was_sent_another_model_answers_as_ever(make, server):
    server.script(Unauthorized(), Answer(TO_ANN), Answer("Ann is told."))
    result = make(mailer := Mailer(), models=ROLES).invoke(ASKED, THREAD)
    assert (mailer.sent, result["answer"]) == (["Ann"], "Ann is told.")


@pytest.mark.parametrize("node", ["generate_options", "plan", "route", "run_local", "check_spend"])
def test_a_fork_does_not_send_it_again(make, server, node):
    server.script(Answer(TO_ANN), Answer("Ann is told."))
    agent = make(mailer := Mailer())
    first = agent.invoke(ASKED, THREAD)
    assert agent.invoke(None, before(agent, node))["answer"] == first["answer"]
    assert (mailer.sent, len(server.requests)) == (["Ann"], 2)


def test_a_fork_with_another_task_sends_nothing_that_it_would_say_in_other_words(make, server):
    server.script(Answer(TO_ANN), Answer("Ann is told."))
    agent = make(mailer := Mailer())
    agent.invoke(ASKED, THREAD)
    server.script(Answer(TO_BOB), Answer(TO_ANN), Answer("Both are told."))
    run = {**agent.get_state(THREAD).values["run"], "task": "Tell both"}
    forked = agent.update_state(before(agent, "route"), {"run": run}, as_node="plan")
    question = question_of(agent.invoke(None, forked))
    assert (question["input"], question["task"]) == ({"to": "Bob"}, "Tell both")
    result = agent.invoke(Command(resume="go"), THREAD)
    assert told(server) == ["Sent to Bob.", "Sent to Ann."]
    assert result["answer"] == "Both are told."
    assert mailer.sent == ["Ann", "Bob"]


def test_a_call_that_failed_ends_the_step_and_a_person_decides(make, server):
    server.script(Answer(TO_ANN), Answer("Ann is told."))
    agent, ask = make(mailer := Mailer(TimeoutError())), {"on_drift": "ask"}
    question = question_of(agent.invoke(ASKED, THREAD, context=ask))
    assert (question["about"], question["executor"]) == ("effect", "llm with tools")
    question = question_of(agent.invoke(Command(resume="again"), THREAD, context=ask))
    assert (question["executor"], question["reason"]) == ("send", "it raised TimeoutError")
    result = agent.invoke(Command(resume="done"), THREAD, context=ask)
    assert (mailer.sent, result["answer"]) == (["Ann"], "Ann is told.")
    assert len(server.requests) == 2


def test_what_is_no_tool_is_refused():
    with pytest.raises(InvalidInput) as refused:
        create_budget_agent(settings=Settings(), tools=[Executor(5, effects=True)])
    assert refused.value.field == "tools"
