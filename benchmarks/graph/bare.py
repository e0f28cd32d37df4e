"""The baseline: LangGraph loops as a tutorial writes them, with neither a budget nor a plan."""

from operator import add
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Checkpointer
from typing_extensions import TypedDict

from benchmarks.graph.work import Calls


class State(TypedDict):
    """What every agent keeps: what it was asked, and what it has written so far."""

    task: str
    number: int
    texts: Annotated[list[str], add]
    spent: int
    draft: str


def one_node(calls: Calls, checkpointer: Checkpointer) -> Any:
    """The least there can be: one node that calls, and comes back to itself."""

    def call(state: State) -> dict[str, Any]:
        number = state["number"]
        return {"texts": [calls.answer(number)], "number": number + 1}

    graph = StateGraph(State)
    graph.add_node("call", call)
    graph.add_node("finish", _finish)
    graph.add_edge(START, "call")
    graph.add_conditional_edges("call", _onward(calls, "call"), ["call", "finish"])
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)


def three_nodes(calls: Calls, checkpointer: Checkpointer) -> Any:
    """The shape of the agent's own loop: choose, call, check."""

    def choose(state: State) -> dict[str, Any]:
        return {"number": state["number"] + 1}

    def call(state: State) -> dict[str, Any]:
        return {"texts": [calls.answer(state["number"] - 1)]}

    def check(state: State) -> dict[str, Any]:
        return {"spent": state["spent"] + 1}

    graph = StateGraph(State)
    for node in (choose, call, check):
        graph.add_node(node.__name__, node)
    graph.add_node("finish", _finish)
    graph.add_edge(START, "choose")
    graph.add_edge("choose", "call")
    graph.add_edge("call", "check")
    graph.add_conditional_edges("check", _onward(calls, "choose"), ["choose", "finish"])
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)


def start() -> State:
    """What both are invoked with."""
    return {"task": "Write the handbook.", "number": 0, "texts": [], "spent": 0, "draft": ""}


def _finish(state: State) -> dict[str, Any]:
    return {"draft": "\n\n".join(state["texts"])}


def _onward(calls: Calls, again: str) -> Any:
    return lambda state: again if state["number"] < calls.steps else "finish"
