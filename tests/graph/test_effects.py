"""What has effects outside is done once for its step, and by nobody's leave but a person's."""

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, Send
from typing_extensions import TypedDict

from tests.graph.conftest import decisions_of, receipt_of
from thrifty import Executor, InvalidInput, Spend, Step, StepOption
from thrifty.graph.control import finish_now, prepare_resume

THREAD: Any = {"configurable": {"thread_id": "t"}}
ASKED = {"task": "Tell Ann", "budget": {"max_tokens": 500, "max_tool_calls": 9}}
MAIL = Spend(10, 0, 5, 1)


class Mailer:
    """Sends mail, of which it keeps what it sent."""

    def __init__(self, *failures: Exception | None) -> None:
        self.sent: list[str] = []
        self.failures = list(failures)

    def __call__(self, work) -> str:
        self.sent.append(str(work.option.payload.get("input", work.task)))
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return f"Sent: {self.sent[-1]}."


def option(name: str, executor: str, *, step: str = "Mail", value: float = 5.0, **payload: Any):
    return StepOption(name, step, executor, f"does {name}", MAIL, value, payload=payload)


def mail_step(**payload: Any) -> Step:
    return Step("Mail", (option("Mail (a)", "mail", **payload),))


@pytest.fixture
def make(offline):
    def make(mailer, *steps, **terms):
        given = {"checkpointer": InMemorySaver(), "catalog": list(steps or [mail_step()])}
        for name in ("checkpointer", "catalog", "ledger"):
            given |= {name: terms.pop(name)} if name in terms else {}
        more = terms.pop("executors", {})
        terms = {"effects": True, **terms}
        return offline(executors={"mail": Executor(mailer, **terms), **more}, **given)

    return make


def question_of(result):
    (asked,) = result["__interrupt__"]
    return asked.value


def before(agent, node, config=THREAD):
    return [s for s in agent.get_state_history(config) if s.next == (node,)][-1].config


@pytest.mark.parametrize("node", ["generate_options", "plan", "route", "run_local", "check_spend"])
def test_a_fork_does_it_no_second_time(make, node):
    agent = make(mailer := Mailer())
    first = agent.invoke(ASKED, THREAD)
    again = agent.invoke(None, before(agent, node))
    assert mailer.sent == ["Tell Ann"]
    assert again["draft"] == first["draft"] == "## Mail\n\nSent: Tell Ann."


def test_a_fork_that_would_do_it_with_other_words_does_it_no_second_time(make):
    steps = [Step("Facts", (option("Facts", "facts", step="Facts", value=9),)), mail_step()]
    steps[1] = Step("Mail", steps[1].options, requires=("Facts",))
    said = iter(["first", "second"])
    agent = make(mailer := Mailer(), *steps, executors={"facts": lambda work: next(said)})
    agent.invoke(ASKED, THREAD)
    forked = agent.update_state(before(agent, "route"), {"run": other_task(agent)}, as_node="plan")
    result = agent.invoke(None, forked)
    assert len(mailer.sent) == 1
    assert "Sent: Tell Ann." in result["draft"]


def other_task(agent):
    return {**agent.get_state(THREAD).values["run"], "task": "Tell Bob"}


def test_another_option_of_the_step_finds_it_done(make):
    other = Mailer()
    step = Step("Mail", (option("Mail (a)", "mail"), option("Mail (b)", "other", value=4.0)))
    agent = make(mailer := Mailer(), step, executors={"other": Executor(other, effects=True)})
    agent.invoke(ASKED, THREAD)
    forked = agent.update_state(
        before(agent, "plan"), {"left_out": ["Mail (a)"]}, as_node="generate_options"
    )
    result = agent.invoke(None, forked)
    assert (mailer.sent, other.sent) == (["Tell Ann"], [])
    receipt = receipt_of(result)
    assert [(line.label, line.status, line.reason) for line in receipt.lines] == [
        ("Mail (a)", "overhead", ""),
        ("Mail (b)", "done", "'Mail (a)' did it before"),
    ]
    assert sum(line.actual.tokens for line in receipt.lines) == receipt.spent.tokens == 10


class Parent(TypedDict, total=False):
    draft: str


def test_a_retry_around_the_agent_does_it_no_second_time(make):
    agent, failures = make(mailer := Mailer(), checkpointer=None), [ConnectionError(), None]

    def node(state, config):
        draft = agent.invoke(ASKED, config)["draft"]
        if failure := failures.pop(0):
            raise failure
        return {"draft": draft}

    graph = StateGraph(Parent)
    tries = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False)
    graph.add_node("writer", node, retry_policy=tries).add_edge(START, "writer")
    result = graph.compile(checkpointer=InMemorySaver()).invoke({}, THREAD)
    assert mailer.sent == ["Tell Ann"]
    assert result["draft"] == "## Mail\n\nSent: Tell Ann."


def test_what_failed_is_tried_by_no_other_option(make):
    other = Mailer()
    step = Step("Mail", (option("Mail (a)", "mail"), option("Letter", "other", value=4.0)))
    agent = make(mailer := Mailer(TimeoutError()), step, executors={"other": other})
    result = agent.invoke(ASKED, THREAD)
    assert (len(mailer.sent), other.sent) == (1, [])
    assert result["status"] == "halted"
    assert "may have changed something outside" in receipt_of(result).halt_reason
    again = agent.invoke(None, before(agent, "route"))
    assert (len(mailer.sent), other.sent) == (1, [])
    assert again["status"] == "halted"


def test_an_executor_without_effects_is_tried_in_another_way(make):
    other = Mailer()
    step = Step("Mail", (option("Mail (a)", "mail"), option("Letter", "other", value=4.0)))
    failing = Mailer(TimeoutError())
    agent = make(failing, step, effects=False, executors={"other": other})
    assert agent.invoke(ASKED, THREAD)["status"] == "done"
    assert len(other.sent) == 1


@pytest.mark.parametrize(
    ("answer", "sent", "text"),
    [
        ("again", 2, "Sent: Tell Ann."),
        ("done", 1, "Done."),
        ({"done": "Ann wrote back"}, 1, "Ann wrote back"),
    ],
)
def test_a_person_is_asked_about_a_failure_where_the_run_asks(make, answer, sent, text):
    ask = {"on_drift": "ask"}
    agent = make(mailer := Mailer(TimeoutError()))
    question = question_of(agent.invoke(ASKED, THREAD, context=ask))
    assert (question["about"], question["reason"]) == ("effect", "it raised TimeoutError")
    result = agent.invoke(Command(resume=answer), THREAD, context=ask)
    assert result["draft"] == f"## Mail\n\n{text}"
    assert len(mailer.sent) == sent
    again = agent.invoke(None, before(agent, "route"), context=ask)
    assert again["draft"] == result["draft"]
    assert len(mailer.sent) == sent


def test_a_person_may_leave_a_failure_as_it_is(make):
    ask = {"on_drift": "ask"}
    agent = make(mailer := Mailer(TimeoutError()))
    agent.invoke(ASKED, THREAD, context=ask)
    result = agent.invoke(Command(resume="leave_out"), THREAD, context=ask)
    assert result["status"] == "halted"
    assert "a person left it as it is" in receipt_of(result).halt_reason
    assert len(mailer.sent) == 1


def test_who_has_sent_need_not_write_anything(make):
    agent = make(lambda work: None)
    assert agent.invoke(ASKED, THREAD)["draft"] == "## Mail\n\nDone."


# Approval


def test_a_person_is_asked_before_it_is_called(make):
    agent = make(mailer := Mailer(), approve=True, description="Sends a mail.")
    question = question_of(agent.invoke(ASKED, THREAD))
    assert (question["about"], question["executor"], question["step"]) == ("call", "mail", "Mail")
    assert question["reason"] == "Sends a mail."
    assert mailer.sent == []
    result = agent.invoke(Command(resume="go"), THREAD)
    assert mailer.sent == ["Tell Ann"]
    assert decisions_of(result, "ask") == ["a person let 'mail' be called"]
    assert agent.invoke(None, before(agent, "route"))["status"] == "done"  # and asks nobody


@pytest.mark.parametrize("effects", [True, False])
def test_while_it_waits_it_holds_nothing(make, ledger, effects):
    agent = make(Mailer(), approve=True, effects=effects)
    agent.invoke(ASKED, THREAD)
    (account,) = ledger.accounts()
    assert ledger.balance(account.name).reserved == Spend()


def test_a_person_may_edit_the_input(make):
    agent = make(mailer := Mailer(), mail_step(input="Dear Ann"), approve=True)
    assert question_of(agent.invoke(ASKED, THREAD))["input"] == "Dear Ann"
    result = agent.invoke(Command(resume={"input": "Dear Bob"}), THREAD)
    assert mailer.sent == ["Dear Bob"]
    assert decisions_of(result, "ask") == ["a person let 'mail' be called, with another input"]


def test_a_person_may_leave_it_out_and_nothing_else_does_it(make):
    other = Mailer()
    step = Step("Mail", (option("Mail (a)", "mail"), option("Letter", "other", value=4.0)))
    agent = make(mailer := Mailer(), step, approve=True, executors={"other": other})
    agent.invoke(ASKED, THREAD)
    result = agent.invoke(Command(resume="leave_out"), THREAD)
    assert mailer.sent == other.sent == []
    assert decisions_of(result, "ask") == ["a person let 'mail' not be called"]
    assert receipt_of(result).spent.tool_calls == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("yes", "answer: got 'yes'; answer \"go\""),
        ({"input": "x", "executor": "pay"}, "answer: got "),
        ({"executor": "pay"}, "answer: got {'executor': 'pay'}; answer \"go\""),
        ({"input": float("nan")}, "answer.input: got nan; use text"),
        ({"input": "x"}, "answer.input: got 'x'; answer \"go\""),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_so(make, answer, error):
    agent = make(mailer := Mailer(), approve=True)
    agent.invoke(ASKED, THREAD)
    question = question_of(agent.invoke(Command(resume=answer), THREAD))
    assert question["error"].startswith(error)
    assert mailer.sent == []
    agent.invoke(Command(resume="go"), THREAD)
    assert mailer.sent == ["Tell Ann"]


def test_what_nobody_can_approve_is_not_called(make):
    agent = make(mailer := Mailer(), approve=True, checkpointer=None)
    result = agent.invoke(ASKED)
    assert mailer.sent == []
    assert "it is to be approved before it is called, and nobody can be asked" in str(
        result["receipt"]
    )


def test_two_calls_side_by_side_are_approved_each_by_itself(make):
    steps = [Step(n, (option(f"{n} (a)", "mail", step=n, input=n),)) for n in ("Ann", "Bob")]
    agent = make(mailer := Mailer(), *steps, approve=True)
    both = {"max_concurrency": 2}
    asked = agent.invoke(ASKED, THREAD, context=both)["__interrupt__"]
    answers = {each.id: "go" if each.value["step"] == "Bob" else "leave_out" for each in asked}
    agent.invoke(Command(resume=answers), THREAD, context=both)
    assert mailer.sent == ["Bob"]


def test_a_run_that_waits_for_an_approval_can_be_resumed_or_ended_from_outside(make):
    steps = [Step(n, (option(f"{n} (a)", "mail", step=n, input=n),)) for n in ("Ann", "Bob")]
    agent = make(mailer := Mailer(), *steps, approve=True)
    both = {"max_concurrency": 2}
    assert len(agent.invoke(ASKED, THREAD, context=both)["__interrupt__"]) == 2
    result = agent.invoke(prepare_resume(agent, THREAD, "go"), THREAD, context=both)
    assert len(mailer.sent) == 1
    assert len(result["__interrupt__"]) == 1
    ended = finish_now(agent, THREAD, "enough")
    assert (ended["status"], len(mailer.sent)) == ("halted", 1)
    assert ended["receipt"]["lines"]


def test_notes_are_on_no_bill(make, ledger):
    agent = make(Mailer(), approve=True)
    agent.invoke(ASKED, THREAD)
    receipt = receipt_of(agent.invoke(Command(resume="go"), THREAD))
    assert [line.label for line in receipt.lines] == ["Mail (a)"]
    noted = [entry for entry in ledger.entries(receipt.run_id) if entry.is_note]
    assert noted
    assert {(entry.reserved, entry.charged) for entry in noted} == {(Spend(), Spend())}


@pytest.mark.parametrize("answer", ["go", "again"])
def test_to_go_on_without_an_answer_answers_nothing(make, answer):
    """LangGraph hands the last answer out again, to whatever asks next."""
    ask = {"on_drift": "ask"}
    agent = make(mailer := Mailer(TimeoutError(), None), approve=True)
    agent.invoke(ASKED, THREAD, context=ask)
    waiting = agent.invoke(Command(resume="go"), THREAD, context=ask)
    assert question_of(waiting)["about"] == "effect"
    if answer == "again":
        waiting = agent.invoke(Command(resume=answer), THREAD, context=ask)
    before_it = question_of(waiting)
    for _ in range(2):
        assert question_of(agent.invoke(None, THREAD, context=ask)) == before_it
    assert len(mailer.sent) == 1
    if answer == "again":
        assert agent.invoke(Command(resume="go"), THREAD, context=ask)["status"] == "done"
        assert len(mailer.sent) == 2


# What a client may write


def assignment_of(agent) -> dict[str, Any]:
    state = agent.get_state(THREAD)
    return {
        "run": state.values["run"],
        "conversation": [],
        "assignment": state.values["assignments"][0],
        "spend": state.values["spend"],
    }


@pytest.mark.parametrize("forged", [{"reads": []}, {"kept_ms": 5}, {}])
def test_an_answer_that_came_before_the_question_is_none(make, forged):
    agent = make(mailer := Mailer(), approve=True)
    waiting = agent.invoke({**ASKED, "documents": {"Note": "Pay Ann"}}, THREAD)
    assert question_of(waiting)["results"] == {"Note": {"text": "Pay Ann", "data": None}}
    made_up = {**assignment_of(agent)["assignment"], **forged}
    agent.update_state(THREAD, {"assignments": [made_up]}, as_node="route")
    again = agent.invoke(Command(resume="go"), THREAD)
    assert mailer.sent == []
    read = {} if "reads" in forged else question_of(waiting)["results"]
    assert question_of(again)["results"] == read
    assert agent.invoke(Command(resume="go"), THREAD)["status"] == "done"


@pytest.mark.parametrize("changed", [{"task": "Pay Eve"}, {"number": 1}])
def test_an_answer_with_the_call_itself_is_none(make, changed):
    """A client sends the node a call to make, and the approval of it, in one request.

    Where it is the very call that a person was asked about, that is an answer.
    """
    agent = make(mailer := Mailer(), approve=True)
    agent.invoke(ASKED, THREAD)
    sent = assignment_of(agent)
    sent["run"] = {**sent["run"], **changed}
    result = agent.invoke(Command(resume="go", goto=Send("run_local", sent)), THREAD)
    if changed == {"number": 1}:
        assert mailer.sent == ["Tell Ann"]
        return
    assert mailer.sent == []
    assert question_of(result)["task"] == "Pay Eve"


def test_a_state_that_says_it_is_approved_approves_no_call(make):
    agent = make(mailer := Mailer(), approve=True)
    agent.invoke(ASKED, THREAD)
    agent.update_state(THREAD, {"is_approved": True, "direction": "route"}, as_node="check_spend")
    assert "__interrupt__" in agent.invoke(None, THREAD)
    assert mailer.sent == []


def test_a_state_that_says_nothing_was_done_does_nothing_twice(make):
    agent = make(mailer := Mailer())
    agent.invoke(ASKED, THREAD)
    sent = {**assignment_of(agent)}
    empty = {"direction": "plan", "seen": 0, "halt_reason": ""}
    agent.update_state(THREAD, empty, as_node="check_spend")
    agent.invoke(None, THREAD)
    agent.invoke(Command(goto=Send("run_local", sent)), THREAD)
    assert mailer.sent == ["Tell Ann"]


@pytest.mark.parametrize("answer", ["go", "leave_out"])
def test_what_a_client_has_made_up_is_shown_to_a_person_first(make, answer):
    """A step that no catalog has, such as one that a model proposed, needs nobody's word but
    a person's: though its executor asks for no approval."""
    agent = make(mailer := Mailer())
    agent.invoke(ASKED, THREAD)
    made_up = Step("Pay Eve", (option("Pay Eve", "mail", step="Pay Eve", value=99.0),))
    update = {"proposed": [made_up.to_state()], "direction": "plan", "halt_reason": ""}
    agent.update_state(THREAD, update, as_node="check_spend")
    question = question_of(agent.invoke(None, THREAD))
    assert (question["about"], question["step"]) == ("call", "Pay Eve")
    agent.invoke(Command(resume=answer), THREAD)
    assert len(mailer.sent) == (2 if answer == "go" else 1)


def test_an_executor_is_registered_with_what_it_says_of_itself():
    for terms in ({"effects": "yes"}, {"approve": 1}, {"description": 3}):
        with pytest.raises(InvalidInput, match=r"executor\."):
            Executor(len, **terms)
