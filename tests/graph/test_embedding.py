"""The agent inside somebody else's graph."""

import asyncio
from dataclasses import dataclass
from operator import add
from typing import Annotated, Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict

from tests.graph.conftest import TASK, TUTORIAL_BUDGET, receipt_of
from tests.harness.llm_server import Answer
from thrifty import Budget, InvalidInput, Receipt, as_node

THREAD = {"configurable": {"thread_id": "t"}}


class Own(TypedDict, total=False):
    """A parent's state that shares no key with the agent."""

    question: str
    limits: dict[str, Any]
    answer: str
    receipts: Annotated[list[dict[str, Any]], add]


def own_node(agent):
    return as_node(
        agent,
        read=lambda state: {"task": state["question"], "budget": state["limits"]},
        write=lambda result: {"answer": result["draft"], "receipts": [result["receipt"]]},
    )


def own_parent(*agents, checkpointer=None, context_schema=None):
    """A parent whose nodes `first`, `second` … are agents, one after another."""
    graph = StateGraph(Own, context_schema=context_schema)
    before = START
    for name, agent in zip(("first", "second"), agents, strict=False):
        graph.add_node(name, own_node(agent))
        graph.add_edge(before, name)
        before = name
    return graph.compile(checkpointer=checkpointer)


QUESTION: Own = {"question": TASK, "limits": TUTORIAL_BUDGET}


def receipts_of(state):
    return [Receipt.from_state(receipt) for receipt in state["receipts"]]


class Shared(TypedDict, total=False):
    """A parent's state that has the agent's keys among its own."""

    task: str
    budget: dict[str, Any]
    draft: str
    receipt: dict[str, Any]
    title: str


def shared_parent(agent, **given):
    graph = StateGraph(Shared)
    graph.add_node("thrifty", agent)
    graph.add_node("entitle", lambda state: {"title": state["draft"].splitlines()[0]})
    graph.add_edge(START, "thrifty")
    graph.add_edge("thrifty", "entitle")
    return graph.compile(**given)


def test_a_parent_that_shares_keys_adds_the_agent_as_it_is(online, server):
    result = shared_parent(online()).invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    assert result["title"] == result["draft"].splitlines()[0]
    assert receipt_of(result).budget == Budget(**TUTORIAL_BUDGET)
    assert receipt_of(result).spent.tokens == server.bill.total_tokens > 0


def test_a_parent_with_keys_of_its_own_hands_the_budget_down(online, server):
    result = own_parent(online()).invoke(QUESTION)
    (receipt,) = receipts_of(result)
    assert set(result) == {"question", "limits", "answer", "receipts"}
    assert "## Outline plan" in result["answer"]
    assert receipt.budget == Budget(**TUTORIAL_BUDGET)
    assert receipt.within_budget
    assert receipt.spent.tokens == server.bill.total_tokens > 0


def test_a_parent_of_messages_gets_the_draft_as_a_message(offline):
    graph = StateGraph(MessagesState)
    graph.add_node("writer", offline())
    graph.add_edge(START, "writer")
    result = graph.compile().invoke({"messages": [HumanMessage("Plan a tea party")]})
    assert [message.type for message in result["messages"]] == ["human", "ai"]
    assert "party" in result["messages"][-1].text


def test_asynchronous_parents_do_the_same(online, server):
    result = asyncio.run(own_parent(online()).ainvoke(QUESTION))
    (receipt,) = receipts_of(result)
    assert receipt.spent.tokens == server.bill.total_tokens > 0


def test_bad_input_is_refused_through_the_parent(offline):
    with pytest.raises(InvalidInput, match="max_tokens: got -1"):
        own_parent(offline()).invoke({**QUESTION, "limits": {"max_tokens": -1}})


@pytest.mark.parametrize("parent", ["own", "shared"])
def test_the_agents_steps_show_in_the_parents_stream(offline, parent):
    graph = own_parent(offline()) if parent == "own" else shared_parent(offline())
    given = QUESTION if parent == "own" else {"task": TASK, "budget": TUTORIAL_BUDGET}
    nodes = [
        (bool(place), node)
        for place, update in graph.stream(given, stream_mode="updates", subgraphs=True)
        for node in update
    ]
    inside = [node for is_inside, node in nodes if is_inside]
    assert inside[:3] == ["generate_options", "plan", "route"]
    assert inside[-1] == "finish"
    assert (False, "first" if parent == "own" else "thrifty") in nodes


def test_the_models_words_show_in_the_parents_stream(online, server):
    server.script(Answer("One two three four five six seven eight", times=None, chunk_tokens=1))

    async def words():
        stream = own_parent(online()).astream(QUESTION, stream_mode="messages", subgraphs=True)
        return [m.text async for _, (m, meta) in stream if meta["langgraph_node"] == "run_llm"]

    heard = asyncio.run(words())
    assert len(heard) > 8
    assert "One two three four" in "".join(heard)


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("parent", ["own", "shared"])
def test_an_interrupt_passes_through_the_parent_and_back(online, server, parent, way):
    server.script(Answer(tokens=1500, times=None))
    make = own_parent if parent == "own" else shared_parent
    graph = make(online(), checkpointer=InMemorySaver())
    given = QUESTION if parent == "own" else {"task": TASK, "budget": TUTORIAL_BUDGET}

    def go(given):
        context = {"on_drift": "ask"}
        if way == "sync":
            return graph.invoke(given, THREAD, context=context)
        return asyncio.run(graph.ainvoke(given, THREAD, context=context))

    waiting = go(given)
    (question,) = waiting["__interrupt__"]
    assert question.value["spent"]["tokens"] == server.bill.total_tokens > 0
    calls_before = len(server.requests)
    result = go(Command(resume={"budget": {"max_tokens": 20_000, "max_tool_calls": 10}}))
    receipt = receipts_of(result)[0] if parent == "own" else receipt_of(result)
    assert receipt.status == "done"
    assert receipt.budget.max_tokens == 20_000
    assert receipt.spent.tokens == server.bill.total_tokens
    assert receipt.spent.tool_calls == len(server.requests) > calls_before


def test_two_agents_in_one_parent_have_accounts_of_their_own(online, server):
    agent = online()
    for agents in ((agent, agent), (online(), online())):
        server.clear()
        result = own_parent(*agents, checkpointer=InMemorySaver()).invoke(QUESTION, THREAD)
        first, second = receipts_of(result)
        assert first.run_id != second.run_id
        assert first.within_budget
        assert second.within_budget
        assert first.spent.tokens + second.spent.tokens == server.bill.total_tokens
        assert len(server.requests) == first.spent.tool_calls + second.spent.tool_calls == 4


def test_a_second_run_on_the_parents_thread_has_a_fresh_account(online, server):
    graph = own_parent(online(), checkpointer=InMemorySaver())
    graph.invoke(QUESTION, THREAD)
    first, second = receipts_of(graph.invoke({**QUESTION, "question": "Plan a wedding"}, THREAD))
    assert first.run_id != second.run_id
    assert second.task == "Plan a wedding"
    assert second.spent.tool_calls == 2
    assert first.spent.tokens + second.spent.tokens == server.bill.total_tokens


def test_an_agent_that_a_node_calls_twice_has_two_accounts(offline):
    agent = offline()

    def twice(state: Own) -> Own:
        results = [agent.invoke({"task": task, "budget": TUTORIAL_BUDGET}) for task in ("A", "B")]
        return {"receipts": [result["receipt"] for result in results]}

    graph = StateGraph(Own)
    graph.add_node("twice", twice)
    graph.add_edge(START, "twice")
    result = graph.compile(checkpointer=InMemorySaver()).invoke(QUESTION, THREAD)
    first, second = receipts_of(result)
    assert first.run_id != second.run_id
    assert (first.task, second.task) == ("A", "B")


@dataclass
class Tenant:
    """A parent's context that has nothing to do with the agent's."""

    user: str = "somebody"
    connection: object = None


@dataclass
class Named:
    """A parent's context with one setting that is named like the agent's."""

    user: str = "somebody"
    max_steps: int = 1


@pytest.mark.parametrize("context", [None, Tenant(connection=object()), {"user": "me"}])
def test_a_parents_context_of_another_class_does_no_harm(offline, context):
    graph = own_parent(offline(), context_schema=Tenant)
    (receipt,) = receipts_of(graph.invoke(QUESTION, context=context))
    assert receipt.status == "done"
    assert len(receipt.lines) == 5


@pytest.mark.parametrize("context", [Named(), {"max_steps": 1}])
def test_what_a_parents_context_names_alike_is_the_agents_setting(offline, context):
    graph = own_parent(offline(), context_schema=Named)
    (receipt,) = receipts_of(graph.invoke(QUESTION, context=context))
    assert len(receipt.lines) == 1


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({"base_url": "http://x"}, r"^context\.base_url: got 'http://x'; known fields: max_tok"),
        ({"max_tokens": True}, r"^context\.max_tokens: got True; it should be a valid integer"),
        ({"max_tokens": "5"}, r"^context\.max_tokens: got '5'; it should be a valid integer"),
        ({"max_steps": -1}, r"^context\.max_steps: got -1; it should be greater than or equal"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(online, server, context, told):
    with pytest.raises(InvalidInput, match=told):
        online().invoke({"task": TASK}, context=context)
    assert not server.requests


def test_a_nodes_own_context_goes_before_the_parents(offline):
    class Parent(TypedDict, total=False):
        question: str
        lines: int

    node = as_node(
        offline(),
        read=lambda state: {"task": state["question"], "budget": {"max_tokens": 2200}},
        write=lambda result: {"lines": len(result["receipt"]["lines"])},
        context={"max_steps": 2},
    )
    builder = StateGraph(Parent, context_schema=dict)
    builder.add_node("work", node)
    builder.add_edge(START, "work")
    parent = builder.compile()
    assert parent.invoke({"question": "q"}, context={"max_steps": 5})["lines"] == 2
    with pytest.raises(InvalidInput, match=r"context\.max_stpes"):
        as_node(offline(), read=dict, write=dict, context={"max_stpes": 2})
