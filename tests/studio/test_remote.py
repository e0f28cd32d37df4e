"""The agent on a server, used from a graph elsewhere as if it were there: `RemoteGraph`."""

from uuid import uuid4

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.pregel.remote import RemoteGraph
from typing_extensions import TypedDict

from tests.studio.conftest import BUDGET, GRAPH, TASK
from thrifty import Receipt, as_node

pytestmark = pytest.mark.studio


@pytest.fixture
def remote(sdk):
    return RemoteGraph(GRAPH, sync_client=sdk)


class Parent(TypedDict):
    question: str
    answer: str
    receipt: dict[str, object]


def test_it_is_invoked_like_the_agent_itself(client, models, remote):
    result = remote.invoke({"task": TASK, "budget": BUDGET})
    receipt = Receipt.from_state(result["receipt"])
    assert result["status"] == "done"
    assert receipt.spent.tokens == models.bill.total_tokens > 0


def test_its_events_are_streamed(client, models, remote):
    events = list(remote.stream({"task": TASK, "budget": BUDGET}, stream_mode="custom"))
    kinds = [event["event"] for event in events]
    assert kinds.index("plan_made") < kinds.index("step_started")
    assert kinds[-1] == "done"


def test_it_is_a_node_of_a_graph_with_keys_of_its_own(client, models, remote):
    graph = StateGraph(Parent)
    node = as_node(
        remote,
        read=lambda state: {"task": state["question"], "budget": BUDGET},
        write=lambda result: {"answer": result["draft"], "receipt": result["receipt"]},
    )
    graph.add_node("writer", node)
    graph.add_edge(START, "writer")
    graph.add_edge("writer", END)
    result = graph.compile(checkpointer=InMemorySaver()).invoke(
        {"question": TASK}, {"configurable": {"thread_id": str(uuid4())}}
    )
    assert "## Clarify deliverables" in result["answer"]
    assert Receipt.from_state(result["receipt"]).spent.tokens == models.bill.total_tokens
