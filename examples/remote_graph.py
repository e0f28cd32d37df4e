"""The agent on a server as a node of your graph: start `langgraph dev` first."""

import os

from langgraph.graph import END, START, StateGraph
from langgraph.pregel.remote import RemoteGraph
from typing_extensions import TypedDict

from thrifty import as_node


class State(TypedDict):
    question: str
    answer: str


remote = RemoteGraph("thrifty", url=os.environ.get("LANGGRAPH_URL", "http://127.0.0.1:2024"))
graph = StateGraph(State)
graph.add_node(
    "writer",
    as_node(
        remote,
        read=lambda state: {"task": state["question"], "budget": {"max_tokens": 2_200}},
        write=lambda result: {"answer": result["draft"]},
    ),
)
graph.add_edge(START, "writer")
graph.add_edge("writer", END)

if __name__ == "__main__":
    print(graph.compile().invoke({"question": "Plan a book launch"})["answer"])
