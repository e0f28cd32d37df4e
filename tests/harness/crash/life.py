"""One life of a run: from its start or its last checkpoint to its end, or to an accident."""

import json
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from tests.harness.crash.accidents import accident_of
from tests.harness.crash.points import CHECKPOINTER, MODEL, READS, WRITES, Points
from tests.harness.ledger_address import open_ledger
from thrifty import Settings, as_node, create_budget_agent
from thrifty.models.wire import background_loop

TASK = "Plan the move of a small office"
BUDGET = {"max_tokens": 20_000, "max_tool_calls": 9}
TREE = {"company": {"day": "$50", "hour": "1M tokens"}, "team": {"day": "200k tokens"}}
"""Who pays, the highest first."""
ROUNDS = 2
CONTEXTS = {
    "sequence": {},
    "fan-out": {"max_concurrency": 3},
    "subgraph": {},
    "loop": {"propose_options": False, "max_steps": 2},
}


def live(job: Mapping[str, Any], points: Points) -> dict[str, Any]:
    """Lives one life.

    Args:
        job: `shape`, `durability`, `address` of the ledger, `checkpoints`, `base_url`,
            `thread`, `accident`, `at` (the number of the point where it is to happen), and the
            `server`, if that is to restart.
        points: counts what it passes.

    Returns:
        What the run handed over.
    """
    ledger = open_ledger(job["address"])
    parent = None
    for account, limits in TREE.items():
        ledger.open(account, limits, parent=parent)
        parent = account
    points.around(ledger, WRITES, "ledger")
    if job["accident"] == "fail":
        points.around(ledger, READS, "ledger")
    else:
        points.around(background_loop.background_loop(), MODEL, "model")
    with _checkpointer(job["checkpoints"]) as checkpointer:
        points.around(checkpointer, CHECKPOINTER, "checkpointer")
        settings = Settings(api_key="sk-test", base_url=job["base_url"], api="chat")
        make = {"catalog": "proposal", "settings": settings, "ledger": ledger, "account": parent}
        graph = _graph(job["shape"], make, checkpointer)
        thread: Any = {"configurable": {"thread_id": job["thread"]}}
        given: dict[str, Any] | None = {"task": TASK, "budget": BUDGET}
        if graph.get_state(thread).values:
            given = None
        elif job["shape"] in ("subgraph", "loop"):
            given = {"task": TASK, "budget": BUDGET, "done": 0}
        context = CONTEXTS[job["shape"]]
        result = graph.invoke(given, thread, context=context, durability=job["durability"])
    return {"status": result["status"], "draft": result["draft"]}


class Parent(TypedDict):
    """The state of somebody's larger graph."""

    task: str
    budget: dict[str, int]
    done: int
    status: str
    draft: str


def _graph(shape: str, make: dict[str, Any], checkpointer: Any) -> Any:
    if shape in ("sequence", "fan-out"):
        return create_budget_agent(**make, checkpointer=checkpointer)
    graph = StateGraph(Parent)
    writer = as_node(
        create_budget_agent(**make),
        read=lambda state: {
            "task": f"{state['task']}, part {state['done'] + 1}",
            "budget": state["budget"],
            "run_id": f"part {state['done'] + 1}",
        },
        write=lambda result: {"status": result["status"], "draft": result["draft"]},
        context=CONTEXTS[shape],
    )
    graph.add_node("writer", writer)
    graph.add_node("count", lambda state: {"done": state["done"] + 1})
    graph.add_edge(START, "writer")
    graph.add_edge("writer", "count")
    rounds = ROUNDS if shape == "loop" else 1
    graph.add_conditional_edges(
        "count", lambda state: "writer" if state["done"] < rounds else END, ["writer", END]
    )
    return graph.compile(checkpointer=checkpointer)


@contextmanager
def _checkpointer(address: str) -> Iterator[Any]:
    if "host=" not in address:
        with SqliteSaver.from_conn_string(address) as saver:
            yield saver
        return
    with PostgresSaver.from_conn_string(address) as saver:
        saver.setup()
        yield saver


def live_as_json(job: Mapping[str, Any]) -> str:
    """A life in a line of JSON, whatever comes of it: a result or an error, and what it passed."""
    points = Points(job["at"], accident_of(job))
    try:
        result = live(job, points)
    except Exception as error:  # noqa: BLE001 - it is told to whoever asked
        result = {"error": type(error).__name__, "why": traceback.format_exc()}
    counted = {"points": points.passed, "struck": points.struck, "modules": list(sys.modules)}
    return json.dumps({**result, **counted})
