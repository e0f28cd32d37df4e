"""What an agent is told of its budget is true: of calls that were made, and in its history."""

import asyncio
import json
import logging

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import ACCOUNT, claude, client
from thrifty import Budget, BudgetMiddleware, MemoryLedger, Spend
from thrifty.budget import LedgerUnavailable

ASK = {"messages": [HumanMessage("What is tea?")]}
THREAD = {"configurable": {"thread_id": "t"}}
made: list[str] = []


class Breakable:
    """The storage of a ledger, which can be broken for a while."""

    def __init__(self, storage):
        self.storage, self.is_broken = storage, False

    def write(self, *given):
        self._check()
        return self.storage.write(*given)

    def read(self, *given, **more):
        self._check()
        return self.storage.read(*given, **more)

    def _check(self):
        if self.is_broken:
            raise LedgerUnavailable("the disk failed")


@pytest.fixture
def storage(ledger: MemoryLedger):
    ledger._storage = Breakable(ledger._storage)
    made.clear()
    logging.getLogger("langchain_core").setLevel("ERROR")
    yield ledger._storage
    logging.getLogger("langchain_core").setLevel("NOTSET")


def run_agent(way, model, tools, given=ASK, **terms):
    agent = create_agent(model, tools, **terms)
    if way == "invoke":
        return agent.invoke(given, THREAD)
    return asyncio.run(agent.ainvoke(given, THREAD))


@pytest.fixture(params=["invoke", "ainvoke"])
def way(request):
    return request.param


def tool_texts(result):
    return [message.text for message in result["messages"] if isinstance(message, ToolMessage)]


def mends(storage):
    """A disk that works again once the tool's call is over."""

    @wrap_tool_call
    def mend(request, handler):
        try:
            return handler(request)
        finally:
            storage.is_broken = False

    @wrap_tool_call
    async def amend(request, handler):
        try:
            return await handler(request)
        finally:
            storage.is_broken = False

    return {"invoke": mend, "ainvoke": amend}


@pytest.mark.parametrize("effects", [(), ("pay",)], ids=["free", "with effects"])
def test_books_that_fail_after_a_tool_do_not_take_its_answer_away(
    way, server, ledger, storage, effects, caplog
):
    @tool
    def pay(to: str) -> str:
        """Pays somebody."""
        made.append(to)
        storage.is_broken = True
        return f"Paid {to}."

    ledger.open(ACCOUNT, Budget(max_tokens=9_000, max_tool_calls=9))
    held = BudgetMiddleware(ledger, ACCOUNT, effects=effects)
    server.script(Answer(ToolCall("pay", {"to": "Ann"})), Answer("Ann is paid."))
    result = run_agent(way, client(server), [pay], middleware=[mends(storage)[way], held])
    assert made == ["Ann"]
    assert tool_texts(result) == ["Paid Ann."]
    assert result["messages"][-1].text == "Ann is paid."
    assert "the disk failed" in caplog.text
    balance = ledger.balance(ACCOUNT)
    assert balance.spent.tool_calls == 3  # two questions, and the tool
    assert balance.reserved == Spend()


def test_a_tool_that_failed_beside_the_books_is_not_called_again_unasked(
    way, server, ledger, storage
):
    @tool
    def pay(to: str) -> str:
        """Pays somebody."""
        made.append(to)
        storage.is_broken = True
        raise TimeoutError("no answer")

    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    server.script(Answer(ToolCall("pay", {"to": "Ann"})), Answer("Ann is paid."))
    terms = {
        "middleware": [mends(storage)[way], BudgetMiddleware(ledger, ACCOUNT, effects=["pay"])],
        "checkpointer": InMemorySaver(),
    }
    with pytest.raises(
        TimeoutError
    ):  # and not that the ledger is broken, or that it was not called
        run_agent(way, client(server), [pay], **terms)
    result = run_agent(way, client(server), [pay], None, **terms)
    (question,) = result["__interrupt__"]
    assert question.value["about"] == "effect"
    result = run_agent(way, client(server), [pay], Command(resume={"done": "Paid."}), **terms)
    assert tool_texts(result) == ["Paid."]
    assert made == ["Ann"]


def test_a_tool_whose_own_model_does_not_fit_was_called(way, server, ledger, storage):
    @tool
    def pay(to: str) -> str:
        """Pays somebody, and asks a model about it."""
        made.append(to)
        return str(client(server, max_tokens=50_000).invoke("Was it wise?").text)

    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    server.script(Answer(ToolCall("pay", {"to": "Ann"})), Answer("Ann is paid."))
    held = BudgetMiddleware(ledger, ACCOUNT)
    result = run_agent(way, client(server), [pay], middleware=[held])
    (told,) = tool_texts(result)
    assert told.startswith("Called, but stopped before its end: gpt-4o does not fit: ")
    assert made == ["Ann"]


@pytest.mark.parametrize("make", [client, claude], ids=["OpenAI", "Anthropic"])
def test_the_texts_of_an_end_are_not_sent_again(server, ledger, make):
    ledger.open(ACCOUNT, Budget(max_tokens=30))
    agent = create_agent(
        make(server),
        [],
        middleware=[BudgetMiddleware(ledger, ACCOUNT)],
        checkpointer=InMemorySaver(),
    )
    assert agent.invoke(ASK, THREAD)["messages"][-1].text.startswith("I have to stop here: ")
    ledger.set_limits(ACCOUNT, Budget(max_tokens=9_000))
    server.script(Answer("Leaves."))
    result = agent.invoke({"messages": [HumanMessage("And now?")]}, THREAD)
    (request,) = server.requests
    assert "stop here" not in json.dumps(request.body)
    assert "And now?" in json.dumps(request.body)
    # Whoever reads the conversation still finds it.
    assert [message.type for message in result["messages"]] == ["human", "ai", "human", "ai"]
