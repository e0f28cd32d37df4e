"""The agent in graphs that others made: a ReAct agent's tool, and under a supervisor."""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from langgraph_supervisor import create_supervisor

from tests.graph.conftest import TASK, TUTORIAL_BUDGET
from tests.harness.llm_server import Answer, ToolCall
from thrifty import Budget, Receipt

# langgraph-supervisor still builds on the agent that LangGraph has moved.
pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
THREAD = {"configurable": {"thread_id": "t"}}
ASKED = {"messages": [("user", TASK)]}
BOSS = "You lead a team"
ROOMY = {"max_tokens": 20_000, "max_tool_calls": 10}


@pytest.fixture
def boss(server):
    """The larger agent's own model, on the same server, told apart by its system prompt."""
    return ChatOpenAI(
        model="gpt-4.1",
        base_url=server.base_url,
        api_key="sk-test",
        # It would keep a connection for an event loop that has ended by the next test.
        default_headers={"Connection": "close"},
    )


def bosses_requests(server):
    return [request for request in server.requests if BOSS in request.prompt]


@pytest.fixture
def react(online, boss, server, ledger):
    """A ReAct agent that uses the budget agent twice, on one account."""
    ledger.open("writing", Budget(max_tokens=4_000, max_tool_calls=4))
    writer = online(account="writing", budget=Budget(**TUTORIAL_BUDGET))
    receipts = []

    @tool
    def write(topic: str) -> str:
        """Writes a proposal."""
        result = writer.invoke({"task": f"Draft a proposal on {topic}"})
        receipts.append(Receipt.from_state(result["receipt"]))
        return result["draft"]

    server.script(
        Answer(ToolCall("write", {"topic": "fleets"}), when=BOSS),
        Answer(ToolCall("write", {"topic": "depots"}), when=BOSS),
        Answer("Here are both.", when=BOSS),
    )
    return create_agent(boss, [write], system_prompt=BOSS), receipts


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_tool_of_a_react_agent(react, server, ledger, how):
    agent, receipts = react
    invoked = agent.invoke(ASKED) if how == "sync" else asyncio.run(agent.ainvoke(ASKED))
    assert invoked["messages"][-1].text == "Here are both."
    first, second = receipts
    assert first.run_id != second.run_id
    ours = sum(r.bill.total_tokens for r in server.requests if BOSS not in r.prompt)
    assert ledger.balance("writing").spent.tokens == ours
    assert first.spent.tokens + second.spent.tokens == ours <= 4_000
    assert ledger.balance("writing").reserved.tokens == 0


def test_a_tool_that_asks_a_person_stops_and_resumes_the_react_agent(online, boss, server):
    """The interrupt of the inner run becomes one of the outer, and its answer finds its way."""
    writer = online()

    @tool
    def write(topic: str) -> str:
        """Writes a proposal."""
        given = {"task": f"Draft a proposal on {topic}", "budget": TUTORIAL_BUDGET}
        return writer.invoke(given, context={"approve_plan": True})["draft"]

    server.script(
        Answer(ToolCall("write", {"topic": "fleets"}), when=BOSS),
        Answer("There it is.", when=BOSS),
    )
    agent = create_agent(boss, [write], system_prompt=BOSS, checkpointer=InMemorySaver())
    (question,) = agent.invoke(ASKED, THREAD)["__interrupt__"]
    assert question.value["about"] == "plan"
    assert len(server.requests) == 1
    result = agent.invoke(Command(resume="go"), THREAD)
    assert result["messages"][-1].text == "There it is."
    assert len(bosses_requests(server)) == 2


@pytest.fixture
def supervised(online, boss, server):
    """A supervisor over one worker, which is the agent as it is."""
    server.script(
        Answer(ToolCall("transfer_to_thrifty", {}), when=BOSS),
        Answer("Delivered.", when=BOSS),
    )
    return create_supervisor([online()], model=boss, prompt=BOSS)


def test_under_a_supervisor(supervised, server):
    result = supervised.compile().invoke(ASKED)
    texts = [message.text for message in result["messages"]]
    assert texts[-1] == "Delivered."
    assert any("## Clarify deliverables" in text for text in texts)
    assert any(BOSS not in request.prompt for request in server.requests)


def test_under_a_supervisor_its_steps_show_in_the_stream(supervised):
    parts = supervised.compile().stream(ASKED, stream_mode="custom", subgraphs=True)
    events = [event["event"] for _, event in parts]
    assert "plan_made" in events
    assert events[-1] == "done"


def test_under_a_supervisor_an_interrupt_passes_through_and_back(supervised, server):
    graph = supervised.compile(checkpointer=InMemorySaver())
    context = {"approve_plan": True}
    waiting = graph.invoke(ASKED, THREAD, context=context)
    (question,) = waiting["__interrupt__"]
    assert question.value["to_do"]
    asked = len(server.requests)
    result = graph.invoke(Command(resume="go"), THREAD, context=context)
    assert result["messages"][-1].text == "Delivered."
    assert len(bosses_requests(server)) == 2
    assert len(server.requests) > asked + 1
