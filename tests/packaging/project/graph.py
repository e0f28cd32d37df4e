"""The project's own graph: state keys of its own, thrifty as one of its nodes."""

from typing import Any, TypedDict

from langgraph.graph import START, StateGraph

import thrifty
from nodes import sign


class Case(TypedDict, total=False):
    question: str
    limits: dict[str, Any]
    answer: str
    receipt: dict[str, Any]


def build():
    research = thrifty.as_node(
        thrifty.create_budget_agent(settings=thrifty.Settings()),
        read=lambda case: {"task": case["question"], "budget": case["limits"]},
        write=lambda result: {"answer": result["draft"], "receipt": result["receipt"]},
    )
    graph = StateGraph(Case)
    graph.add_node("research", research)
    graph.add_node("sign", sign)
    graph.add_edge(START, "research")
    graph.add_edge("research", "sign")
    return graph.compile()
