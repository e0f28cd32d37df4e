"""The typed events of a run, over the stream mode `custom`."""

import asyncio
from typing import get_args

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from tests.graph.conftest import TASK, TUTORIAL_BUDGET
from tests.harness.llm_server import Answer
from thrifty import as_node
from thrifty.run import events

ASKED = {"task": TASK, "budget": TUTORIAL_BUDGET}
FIELDS = {
    name: set(form.__annotations__)
    for form in get_args(events.Event)
    for name in form.__annotations__["event"].__args__
}


@pytest.fixture
def emitted(online):
    return list(online().stream(ASKED, stream_mode="custom"))


def kinds(emitted):
    return [event["event"] for event in emitted]


def test_every_event_is_of_its_form(emitted, server, online):
    server.clear()
    server.script(Answer(tokens=1500, times=None))
    drifted = list(online().stream(ASKED, stream_mode="custom"))
    for event in [*emitted, *drifted]:
        assert set(event) == FIELDS[event["event"]]
    assert "replanned" in kinds(drifted)
    assert len({event["run_id"] for event in emitted}) == 1


def test_a_run_is_told_from_its_plan_to_its_end(emitted):
    assert kinds(emitted).index("plan_made") < kinds(emitted).index("step_started")
    assert kinds(emitted)[-1] == "done"
    times = [event["at_ms"] for event in emitted]
    assert times == sorted(times)


def test_every_step_starts_and_then_finishes(emitted):
    started = [event["option"] for event in emitted if event["event"] == "step_started"]
    finished = [event["option"] for event in emitted if event["event"] == "step_finished"]
    assert started
    assert started == finished


def test_the_last_balance_is_the_bill(emitted, server):
    balance = [event for event in emitted if event["event"] == "spend_changed"][-1]
    assert balance["spent"]["tokens"] == server.bill.total_tokens
    assert balance["reserved"]["tokens"] == 0
    assert balance["left"]["max_tokens"] == TUTORIAL_BUDGET["max_tokens"] - server.bill.total_tokens


def test_what_is_left_is_what_the_accounts_above_have_left(online, ledger):
    ledger.open("team", "1 call a day")
    events = list(online(account="team").stream(ASKED, stream_mode="custom"))
    left = [event["left"] for event in events if event["event"] == "spend_changed"]
    assert left[-1]["max_tool_calls"] == 0


def test_what_is_left_of_the_latency_is_told_too(emitted):
    limit_ms = TUTORIAL_BUDGET["max_latency_ms"]
    for event in emitted:
        if event["event"] == "spend_changed":
            assert event["spent"]["latency_ms"] == event["at_ms"]
            assert event["left"]["max_latency_ms"] == limit_ms - event["at_ms"]


def test_waiting_for_a_person_is_told_with_the_question(online):
    agent = online(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "t"}}
    context = {"approve_plan": True}
    emitted = list(agent.stream(ASKED, thread, context=context, stream_mode="custom"))
    assert kinds(emitted)[-1] == "waiting"
    assert emitted[-1]["question"]["about"] == "plan"


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_model_that_streams_shows_progress(online, how):
    agent = online()
    modes = ["custom", "messages"]

    async def collected():
        return [part async for part in agent.astream(ASKED, stream_mode=modes)]

    parts = list(agent.stream(ASKED, stream_mode=modes)) if how == "sync" else None
    parts = parts or asyncio.run(collected())
    progress = [e for mode, e in parts if mode == "custom" and e["event"] == "step_progress"]
    assert progress
    for step in {event["step"] for event in progress}:
        written = [event["characters"] for event in progress if event["step"] == step]
        assert written == sorted(written)
        assert written[0] > 0
    assert any(mode == "messages" for mode, _ in parts)


def test_inside_a_parents_graph_they_come_with_its_subgraphs(online):
    class Parent(TypedDict):
        question: str
        answer: str

    graph = StateGraph(Parent)
    node = as_node(
        online(),
        read=lambda state: {"task": state["question"], "budget": TUTORIAL_BUDGET},
        write=lambda result: {"answer": result["draft"]},
    )
    graph.add_node("writer", node)
    graph.add_edge(START, "writer")
    graph.add_edge("writer", END)
    asked = {"question": TASK}
    parts = list(graph.compile().stream(asked, stream_mode="custom", subgraphs=True))
    assert kinds(event for _, event in parts)[-1] == "done"
    assert all(place[0].startswith("writer:") for place, _ in parts)
