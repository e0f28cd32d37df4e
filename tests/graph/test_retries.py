"""A node that is tried again pays for its agent once."""

import asyncio
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy
from typing_extensions import TypedDict

from tests.graph.conftest import TASK
from tests.harness.llm_server import Answer
from thrifty import Budget, as_node, metered

THREAD: Any = {"configurable": {"thread_id": "t"}}
BUDGET = {"max_tokens": 1500}
"""So little that the plan of a run which knew only what is left would leave paid answers unused."""
THREE_TIMES = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)


class Parent(TypedDict, total=False):
    drafts: list[str]
    tokens: int


class Flaky:
    """A node that calls agents, and then fails, until it has been tried three times."""

    def __init__(self, *given: dict[str, Any]) -> None:
        self.given, self.drafts = given, []

    def end(self, results: list[dict[str, Any]]) -> Parent:
        self.drafts.append([result["draft"] for result in results])
        if len(self.drafts) < 3:
            raise ConnectionError("what came after the agent")
        return {"drafts": self.drafts[-1], "tokens": sum(r["spend"]["tokens"] for r in results)}

    def invoking(self, agent):
        return lambda state, config: self.end([agent.invoke(each, config) for each in self.given])

    def awaiting(self, agent):
        async def node(state, config):
            calls = [agent.ainvoke(each, config) for each in self.given]
            return self.end(await asyncio.gather(*calls))

        return node

    def embedding(self, agent):
        (given,) = self.given
        results: list[Any] = []
        inner = as_node(agent, read=lambda _: given, write=lambda r: results.append(r) or {})
        return lambda state, config: [inner.invoke(state, config), self.end(results[-1:])][1]


@pytest.fixture(autouse=True)
def _answers(server):
    server.default = Answer("## Outline plan\n\nA text of some words.")


def parent_of(node, *, checkpointer=None, retry_policy=THREE_TIMES):
    graph = StateGraph(Parent)
    graph.add_node("writer", node, retry_policy=retry_policy)
    graph.add_edge(START, "writer")
    return graph.compile(checkpointer=checkpointer)


def asked(**more):
    return {"task": TASK, "budget": BUDGET, **more}


def requests_of_one_run(agent, server):
    result = agent.invoke(asked())
    once = len(server.requests)
    assert once > 1
    return once, result


@pytest.mark.parametrize("has_thread", [True, False])
@pytest.mark.parametrize("run_id", ["mine", None])
@pytest.mark.parametrize("way", ["invoking", "embedding", "awaiting"])
def test_three_attempts_pay_once(online, server, way, run_id, has_thread):
    if not (run_id or has_thread):
        pytest.skip("nothing tells one such run from another")
    agent = online()
    once, alone = requests_of_one_run(agent, server)
    flaky = Flaky(asked(run_id=run_id))
    graph = parent_of(
        getattr(flaky, way)(agent), checkpointer=InMemorySaver() if has_thread else None
    )
    config = THREAD if has_thread else {}
    result = asyncio.run(graph.ainvoke({}, config))
    assert len(server.requests) == once + once
    assert flaky.drafts == [[alone["draft"]]] * 3
    assert result["tokens"] == alone["spend"]["tokens"]


@pytest.mark.parametrize("way", ["invoking", "awaiting"])
def test_each_call_of_an_attempt_is_found_again(online, server, way):
    """Two runs in one node, which differ by their place alone, and one that asks another thing."""
    agent = online()
    given = [asked(), asked(), asked(task=f"{TASK} In German.")]
    spent = sum(agent.invoke(each)["spend"]["tokens"] for each in given)
    once, flaky = len(server.requests), Flaky(*given)
    graph = parent_of(getattr(flaky, way)(agent), checkpointer=InMemorySaver())
    result = asyncio.run(graph.ainvoke({}, THREAD))
    assert len(server.requests) == once + once
    assert result["tokens"] == spent == server.bill.total_tokens - spent
    assert [len(drafts) for drafts in flaky.drafts] == [3, 3, 3]


@pytest.mark.parametrize("run_id", ["mine", None])
def test_a_second_resume_pays_nothing(online, server, run_id):
    agent = online()
    once, alone = requests_of_one_run(agent, server)
    flaky = Flaky(asked(run_id=run_id))
    graph = parent_of(flaky.invoking(agent), checkpointer=InMemorySaver(), retry_policy=None)
    for given in ({}, None):
        with pytest.raises(ConnectionError):
            graph.invoke(given, THREAD)
    result = graph.invoke(None, THREAD)
    assert len(server.requests) == once + once
    assert result["drafts"] == [alone["draft"]]


def test_a_named_run_that_begins_again_comes_to_the_same(online, server):
    """Its plan counts on what it has paid for, and not only on what is left beside that."""
    agent = online()
    first = agent.invoke(asked(run_id="mine"))
    once = len(server.requests)
    again = agent.invoke(asked(run_id="mine"))
    assert len(server.requests) == once
    assert again["draft"] == first["draft"]
    assert again["spend"]["tokens"] == first["spend"]["tokens"]


@pytest.mark.parametrize("how", ["retried", "resumed"])
def test_a_metered_model_of_a_run_is_asked_once(server, ledger, how):
    """Though the same node asks the same twice, and another node has asked it before."""
    ledger.open("team", Budget(max_tokens=20_000))
    client: Any = ChatOpenAI(model="gpt-4o", base_url=server.base_url, api_key="sk-test")
    model = metered(client, ledger, "team", run="mine")
    attempts = []

    def ask(state):
        attempts.append([model.invoke("Hi").text, model.invoke("Hi").text])
        if len(attempts) in (2, 3):
            raise ConnectionError("what came after the answers")
        return {"drafts": attempts[-1]}

    graph = StateGraph(Parent)
    policy = THREE_TIMES if how == "retried" else None
    for before, node in ((START, "first"), ("first", "second")):
        graph.add_node(node, ask, retry_policy=policy)
        graph.add_edge(before, node)
    compiled = graph.compile(checkpointer=InMemorySaver())
    given: Any = {}
    for _ in range(2 if how == "resumed" else 0):
        with pytest.raises(ConnectionError):
            compiled.invoke(given, THREAD)
        given = None
    compiled.invoke(given, THREAD)
    assert len(attempts) == 4
    assert len(server.requests) == 4
    assert len(ledger.entries("team")) == 4


def test_without_a_run_nothing_is_replayed(server, ledger):
    ledger.open("team", Budget(max_tokens=20_000))
    client: Any = ChatOpenAI(model="gpt-4o", base_url=server.base_url, api_key="sk-test")
    model = metered(client, ledger, "team")
    flaky = Flaky()

    def ask(state):
        model.invoke("Hi")
        return flaky.end([])

    parent_of(ask).invoke({})
    assert len(server.requests) == 3
