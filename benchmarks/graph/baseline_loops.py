"""The baseline: LangGraph loops as a tutorial writes them, with neither a budget nor a plan."""

from operator import add
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Checkpointer
from typing_extensions import TypedDict

from benchmarks.graph.scripted_calls import ScriptedCalls


class LoopState(TypedDict):
    """What every agent keeps: what it was asked, and what it has written so far."""

    task: str
    number: int
    texts: Annotated[list[str], add]
    spent: int
    draft: str


def one_node(calls: ScriptedCalls, checkpointer: Checkpointer) -> Any:
    """The least there can be: one node that calls, and comes back to itself."""

    def call(state: LoopState) -> dict[str, Any]:
        number = state["number"]
        return {"texts": [calls.answer(number)], "number": number + 1}

    graph = StateGraph(LoopState)
    graph.add_node("call", call)
    graph.add_node("finish", _finish)
    graph.add_edge(START, "call")
    graph.add_conditional_edges("call", _continue_or_end(calls, "call"), ["call", "finish"])
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)


def three_nodes(calls: ScriptedCalls, checkpointer: Checkpointer) -> Any:
    """The shape of the agent's own loop: choose, call, check."""

    def choose(state: LoopState) -> dict[str, Any]:
        return {"number": state["number"] + 1}

    def call(state: LoopState) -> dict[str, Any]:
        return {"texts": [calls.answer(state["number"] - 1)]}

    def check(state: LoopState) -> dict[str, Any]:
        return {"spent": state["spent"] + 1}

    graph = StateGraph(LoopState)
    for node in (choose, call, check):
        graph.add_node(node.__name__, node)
    graph.add_node("finish", _finish)
    graph.add_edge(START, "choose")
    graph.add_edge("choose", "call")
    graph.add_edge("call", "check")
    graph.add_conditional_edges("check", _continue_or_end(calls, "choose"), ["choose", "finish"])
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)


def initial_state() -> LoopState:
    """What both are invoked with."""
    return {"task": "Write the handbook.", "number": 0, "texts": [], "spent": 0, "draft": ""}


def _finish(state: LoopState) -> dict[str, Any]:
    return {"draft": "\n\n".join(state["texts"])}


def _continue_or_end(calls: ScriptedCalls, again: str) -> Any:
    return lambda state: again if state["number"] < calls.steps else "finish"
