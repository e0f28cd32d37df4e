"""An executor that asks a person: the question arrives, and no paid call is made again."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained, ParentCommand
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from tests.graph.conftest import receipt_of
from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import client
from tests.models.guard.test_callback_guard import foreign, react
from thrifty import Executor, MemoryLedger, Spend, Step, StepOption, metered

THREAD: Any = {"configurable": {"thread_id": "t"}}
ROOM = Spend(tokens=900, cost_nano_usd=9_000_000, latency_ms=50, tool_calls=4)
ASKED = {"task": "tea", "budget": {"max_tokens": 2000, "max_cost_usd": 0.03, "max_tool_calls": 9}}
STEPS = [Step("Facts", (StepOption("Facts", "Facts", "mine", "finds facts", ROOM, 5.0),))]


@pytest.fixture
def make(offline):
    def make(mine, **given):
        given = {"checkpointer": InMemorySaver(), **given}
        return offline(catalog=STEPS, executors={"mine": mine}, **given)

    return make


def asks(work):
    return f"You said {interrupt({'which': work.task})}."


async def asks_later(work):
    await asyncio.sleep(0)
    return asks(work)


def asking(state: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage(f"You said {interrupt({'which': 'tea'})}.")]}


GRAPH = StateGraph(MessagesState).add_node(asking).add_edge(START, "asking").compile()


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("mine", [asks, asks_later, GRAPH], ids=["sync", "async", "graph"])
def test_its_question_reaches_the_person_and_its_answer_the_executor(make, mine, way):
    agent = make(mine)

    def run(given):
        called = getattr(agent, way)(given, THREAD)
        return asyncio.run(called) if way == "ainvoke" else called

    (asked,) = run(ASKED)["__interrupt__"]
    assert asked.value == {"which": "tea"}
    result = run(Command(resume="green"))
    assert (result["status"], result["draft"]) == ("done", "## Facts\n\nYou said green.")
    spent = receipt_of(result).spent
    assert (spent.tokens, spent.tool_calls) == (900, 4)  # what it declares, once


def test_while_it_waits_it_holds_and_costs_nothing(make, ledger):
    make(asks).invoke(ASKED, THREAD)
    (account,) = ledger.accounts()
    balance = ledger.balance(account.name)
    assert balance.reserved == balance.spent == Spend()


@pytest.mark.parametrize("is_new_process", [False, True])
def test_what_it_has_paid_for_is_not_paid_again(make, server, ledger, is_new_process):
    """Also where another process goes on, which knows the ledger and the checkpoints alone."""
    server.script(Answer("green", times=1), Answer("black", times=1), Answer("white", times=1))
    model, saver = client(server), InMemorySaver()

    def mine(work):
        said = [metered(model).invoke("Which tea?").text for _ in range(2)]
        said.append(interrupt(said))
        return " ".join([*said, metered(model).invoke(f"And {said[-1]}?").text])

    agent = make(mine, checkpointer=saver)
    (asked,) = agent.invoke(ASKED, THREAD)["__interrupt__"]
    assert asked.value == ["green", "black"]
    paid = server.bill.total_tokens
    (account,) = ledger.accounts()
    balance = ledger.balance(account.name)
    assert (balance.spent.tokens, balance.reserved) == (paid, Spend())
    agent = make(mine, checkpointer=saver) if is_new_process else agent
    result = agent.invoke(Command(resume="red"), THREAD)
    assert result["draft"] == "## Facts\n\ngreen black red white"
    assert len(server.requests) == 3
    receipt = receipt_of(result)
    assert receipt.spent.tokens == server.bill.total_tokens == receipt.lines[0].actual.tokens
    assert receipt.spent.tool_calls == 3
    (again,) = [s for s in agent.get_state_history(THREAD) if s.next == ("route",)]
    assert agent.invoke(None, again.config)["draft"] == result["draft"]
    assert len(server.requests) == 3


def test_it_may_ask_several_times(make, server):
    server.default = Answer("tea")
    model = client(server)

    def mine(work):
        parts = [f"{metered(model).invoke(str(n)).text} {interrupt(n)}" for n in range(3)]
        return ", ".join(parts)

    agent = make(mine)
    result = agent.invoke(ASKED, THREAD)
    for number in range(3):
        (asked,) = result["__interrupt__"]
        assert asked.value == number
        result = agent.invoke(Command(resume=f"no. {number}"), THREAD)
    assert result["draft"] == "## Facts\n\ntea no. 0, tea no. 1, tea no. 2"
    assert len(server.requests) == 3
    assert receipt_of(result).spent.tokens == server.bill.total_tokens


@pytest.mark.parametrize("is_nested", [False, True])
def test_to_go_on_without_an_answer_asks_once_more(make, is_nested):
    """LangGraph hands the last answer out again, to whatever asks next."""

    def ask_twice(*given):
        return f"{interrupt(1)}, {interrupt(2)}"

    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(ask_twice())]}

    nested = StateGraph(MessagesState).add_node(node).add_edge(START, "node").compile()
    agent = make(nested if is_nested else ask_twice)
    agent.invoke(ASKED, THREAD)
    agent.invoke(Command(resume="one"), THREAD)
    for _ in range(2):
        (asked,) = agent.invoke(None, THREAD)["__interrupt__"]
        assert asked.value == 2
    assert agent.invoke(Command(resume="two"), THREAD)["draft"] == "## Facts\n\none, two"


def test_the_whole_step_stays_within_what_was_reserved_for_it(make, server):
    server.default = Answer(tokens=300)
    model = client(server)

    def mine(work):
        said = [metered(model).invoke(f"Part {n}").text for n in range(2)]
        interrupt("on?")
        return " ".join([*said, *(metered(model).invoke(f"Part {n}").text for n in (2, 3))])

    agent = make(mine)
    agent.invoke(ASKED, THREAD)
    result = agent.invoke(Command(resume="yes"), THREAD)
    assert receipt_of(result).spent.tokens == server.bill.total_tokens <= ROOM.tokens
    assert receipt_of(result).within_budget


def test_a_tool_of_an_agent_asks_and_is_counted_once(make, server):
    sent = []

    @tool
    def send(to: str) -> str:
        """Sends a mail."""
        sent.append(f"{to}: {interrupt(to)}")
        return "sent"

    server.script(Answer(ToolCall("send", {"to": "Ann"})), Answer("It is sent."))
    nested = react(foreign(server, "chat", max_tokens=60, stream_usage=True), [send])
    agent = make(nested)
    (asked,) = agent.invoke(ASKED, THREAD)["__interrupt__"]
    assert asked.value == "Ann"
    result = agent.invoke(Command(resume="yes"), THREAD)
    assert result["draft"] == "## Facts\n\nIt is sent."
    assert sent == ["Ann: yes"]
    assert len(server.requests) == 2
    receipt = receipt_of(result)
    assert receipt.spent.tokens == server.bill.total_tokens
    assert receipt.spent.tool_calls == 3


def test_one_with_effects_may_ask_and_is_called_anew_for_the_answer(make):
    sent = []

    def mine(work):
        sent.append(interrupt("to whom?"))

    agent = make(Executor(mine, effects=True))
    agent.invoke(ASKED, THREAD)
    assert agent.invoke(Command(resume="Ann"), THREAD)["draft"] == "## Facts\n\nDone."
    for state in list(agent.get_state_history(THREAD)):
        if state.next in [("route",), ("run_local",), ("plan",)]:
            agent.invoke(None, state.config)
    assert sent == ["Ann"]


def test_each_of_its_questions_has_its_own_answer_after_another_call(make):
    """A person has let it be called again: it asks anew, and is not given old answers."""
    sent = []

    def mine(work):
        sent.append(interrupt("to whom?"))
        if len(sent) == 1:
            raise TimeoutError
        return f"Sent to {sent[-1]}"

    agent, ask = make(Executor(mine, effects=True)), {"on_drift": "ask"}
    answers = ["Ann", "again", "Bob"]
    about = [agent.invoke(ASKED, THREAD, context=ask)["__interrupt__"][0].value]
    for answer in answers:
        result = agent.invoke(Command(resume=answer), THREAD, context=ask)
        about += [asked.value for asked in result.get("__interrupt__", ())]
    assert [a if isinstance(a, str) else a["about"] for a in about] == [
        "to whom?", "effect", "to whom?",
    ]  # fmt: skip
    assert sent == ["Ann", "Bob"]
    assert result["draft"] == "## Facts\n\nSent to Bob"


def test_an_agent_of_ours_in_a_step_asks_by_itself(offline, ledger):
    """It goes on where it was, and its plan is approved once."""
    inner = offline()
    whole = {"approve_plan": True}

    def mine(work):
        given = {"task": work.task, "budget": {"max_tokens": 800}}
        return inner.invoke(given, context=whole)["draft"]

    agent = offline(catalog=STEPS, executors={"mine": mine}, checkpointer=InMemorySaver())
    (asked,) = agent.invoke(ASKED, THREAD)["__interrupt__"]
    assert asked.value["about"] == "plan"
    result = agent.invoke(Command(resume="go"), THREAD)
    assert result["status"] == "done"
    assert "## Clarify deliverables" in result["draft"]
    for account in ledger.accounts():
        assert ledger.balance(account.name).reserved == Spend()


def test_where_nobody_can_be_asked_the_step_has_failed_and_the_run_ends(make):
    result = make(asks, checkpointer=None).invoke(ASKED)
    (line,) = receipt_of(result).lines
    assert (line.status, line.reason) == ("failed", "it asks a person, and nobody can be asked")
    assert line.actual.tokens == 0


@pytest.mark.parametrize("signal", [GraphDrained(), ParentCommand(Command(goto="finish"))], ids=str)
def test_other_signals_of_langgraphs_pass_through(make, ledger: MemoryLedger, signal):
    called = []

    def mine(work):
        called.append(work)
        if len(called) == 1:
            raise signal
        return "text"

    agent = make(mine)
    with pytest.raises(type(signal)):  # as from any graph
        agent.invoke(ASKED, THREAD)
    (account,) = ledger.accounts()
    assert ledger.balance(account.name).reserved == Spend()
    # What was stopped goes on. What has handed over to another graph has ended.
    has_ended = isinstance(signal, ParentCommand)
    assert agent.invoke(None, THREAD)["draft"] == f"## Facts\n\n{'Done.' if has_ended else 'text'}"
    assert len(called) == (1 if has_ended else 2)
