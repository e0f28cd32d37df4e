"""The agent of a deployment with users: alone, in two parents' graphs, and as a middleware."""

import os

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from thrifty import (
    BudgetMiddleware,
    SqliteLedger,
    as_node,
    authenticated_user,
    create_budget_agent,
)
from thrifty.nodes.state import Input, Output

ledger = SqliteLedger(os.environ["LEDGER_FILE"])


def user_pays(config):
    return f"user:{authenticated_user(config)}"


agent = create_budget_agent(catalog="proposal", ledger=ledger, account=user_pays)
studio = create_budget_agent(
    catalog="proposal",
    ledger=ledger,
    account=lambda config: f"user:{authenticated_user(config, studio='studio')}",
)
careless = create_budget_agent(
    catalog="proposal",
    ledger=ledger,
    account=lambda config: f"user:{config['configurable']['payer']}",
)
local = create_budget_agent(catalog="proposal", ledger=ledger)
chat = create_agent(
    ChatOpenAI(model="gpt-4o", api_key="sk-of-the-deployment"),
    [],
    middleware=[BudgetMiddleware(ledger, user_pays)],
)


class Parent(TypedDict, total=False):
    question: str
    limits: dict[str, int]
    name: str
    result: dict[str, object]


def read(state: Parent) -> Input:
    return {"task": state["question"], "budget": state["limits"], "run_id": state.get("name")}


def build_parent(schema, node, **more):
    graph = StateGraph(schema, **more)
    graph.add_node("writer", node)
    graph.add_edge(START, "writer")
    graph.add_edge("writer", END)
    return graph.compile()


class Shared(Input, Output):
    """Keys that the agent has as well."""


parent = build_parent(
    Parent,
    as_node(
        agent,
        read=read,
        write=lambda result: {"result": {"receipt": result["receipt"]}},
        context={"approve_plan": True, "learn": False},
    ),
)
shared = build_parent(Shared, agent)
