"""Somebody else's code inside the agent: functions, tools and chains as executors."""

import asyncio

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from tests.graph.conftest import TASK, receipt_of
from thrifty import InvalidInput, Spend, StepOption


def function(work):
    return f"Facts on {work.task}."


async def coroutine(work):
    await asyncio.sleep(0)
    return f"Facts on {work.task}."


@tool
def search(query: str) -> str:
    """Finds facts."""
    return f"Facts on {query}."


@tool
async def search_async(query: str) -> str:
    """Finds facts."""
    return f"Facts on {query}."


CHAIN = (
    ChatPromptTemplate.from_template("Find facts on {subject}")
    | FakeListChatModel(responses=["Facts on tea."])
    | StrOutputParser()
)


def said(brief: str) -> AIMessage:
    usage = {"input_tokens": 30, "output_tokens": 12, "total_tokens": 42}
    task, _, instruction = brief.partition("\n\n# Assignment\n")
    assert instruction == "Find facts."
    return AIMessage(f"Facts on {task}.", usage_metadata=usage)


def answer(state: MessagesState) -> dict[str, object]:
    return {"messages": [said(state["messages"][-1].text)]}


AGENT = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").compile()

EXECUTORS = {
    "function": (function, 150),
    "async function": (coroutine, 150),
    "tool": (search, 150),
    "async tool": (search_async, 150),
    "chain": (CHAIN, 150),
    "agent": (AGENT, 150),
    "chain that says its usage": (RunnableLambda(said), 42),
}
CATALOG = {
    "steps": [
        {
            "name": "Facts",
            "options": [
                {
                    "executor": "mine",
                    "description": "Find facts.",
                    "tokens": 150,
                    "latency_ms": 5,
                    "tool_calls": 1,
                    "cost_usd": 0.002,
                    "value": 5.0,
                }
            ],
        }
    ]
}


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("kind", EXECUTORS)
def test_an_executor_of_ones_own_does_its_step_and_is_on_the_bill(offline, kind, way):
    executor, tokens = EXECUTORS[kind]
    agent = offline(catalog=CATALOG, executors={"mine": executor})
    given = {"task": "tea", "budget": {"max_tokens": 400, "max_cost_usd": 0.01}}
    result = agent.invoke(given) if way == "sync" else asyncio.run(agent.ainvoke(given))
    receipt = receipt_of(result)
    assert result["draft"] == "## Facts\n\nFacts on tea."
    assert result["status"] == "done"
    assert receipt.spent == Spend(tokens, 2_000_000, receipt.spent.latency_ms, 1)


def test_an_executor_that_is_not_registered_is_refused_before_any_run(offline):
    with pytest.raises(InvalidInput, match="'mine'"):
        offline(catalog=CATALOG)


def test_an_agent_inside_a_step_gets_no_more_than_that_step(online, server):
    """A nested agent plans with what its step has left, and its bill is the step's."""
    inner = online()
    receipts = []

    def delegate(work):
        result = inner.invoke({"task": work.task, "budget": {"max_tokens": 50_000}})
        receipts.append(receipt_of(result))
        return result["draft"]

    option = StepOption("Report", "Report", "team", "delegates", Spend(2200, 0, 900, 2), 9.0)
    outer = online(catalog=[option], executors={"team": delegate})
    given = {"task": TASK, "budget": {"max_tokens": 3000, "max_tool_calls": 5}}
    receipt = receipt_of(outer.invoke(given, context={"propose_options": False}))
    (nested,) = receipts
    assert (nested.budget.max_tokens, nested.budget.max_tool_calls) == (2200, 2)
    assert nested.spent.tokens == receipt.spent.tokens == server.bill.total_tokens > 0
    assert receipt.within_budget


def test_a_payload_of_ones_own_may_have_any_field(offline):
    """Only of the executor `llm` is a model in the payload a role."""
    option = StepOption("A", "A", "mine", "d", Spend(), 1.0, payload={"model": "x", "words": 3})
    agent = offline(catalog=[option], executors={"mine": lambda work: work.option.payload["model"]})
    assert agent.invoke({"task": "tea", "budget": {"max_tokens": 9}})["draft"] == "## A\n\nx"
