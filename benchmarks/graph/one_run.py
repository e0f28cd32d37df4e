"""One run of one kind, in a process of its own: what it took, as a line of JSON."""

import argparse
import gc
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Durability

from benchmarks.graph import bare
from benchmarks.graph.places import KINDS, Place, place
from benchmarks.graph.work import TASK, TOKENS, Calls
from thrifty import Settings, create_budget_agent

Loop = Literal["thrifty", "three_nodes", "one_node"]
LOOPS: tuple[Loop, ...] = ("thrifty", "three_nodes", "one_node")
WARM_UP_STEPS = 3
RECURSION_MAX = 100_000


class Taken(TypedDict):
    """What a run took."""

    wall_ms: float
    cpu_ms: float
    memory_kb: int
    """By how much the process grew at its largest."""
    state_bytes: int
    """The last checkpoint's state, written out."""
    stored_bytes: int
    """All checkpoints of the run."""


def loop_of(
    loop: Loop, calls: Calls, at: Place, durability: Durability = "async"
) -> Callable[[str], Any]:
    """Does a whole run on a thread of that name, and returns the graph."""
    made: Any
    if loop == "thrifty":
        made = create_budget_agent(
            catalog=calls.catalog(),
            executors=calls.executors(),
            settings=Settings(),
            ledger=at.ledger,
            checkpointer=at.checkpointer,
        )
        budget = {"max_tokens": 2 * TOKENS * calls.steps, "max_tool_calls": calls.steps}
        given: Any = {"task": TASK, "budget": budget}
        options: dict[str, Any] = {"context": {"max_steps": calls.steps}}
    else:
        made = getattr(bare, loop)(calls, at.checkpointer)
        given, options = bare.start(), {}

    def run(thread: str) -> Any:
        result = made.invoke(given, config_of(thread), durability=durability, **options)
        written = sum(answer in result["draft"] for answer in calls.answers)
        assert written == calls.steps, f"{written} of {calls.steps} answers are in the draft"
        return made

    return run


def config_of(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_MAX}


def measure(a: argparse.Namespace, folder: Path) -> Taken:
    """Runs once to warm up, and once for the figures."""
    with place(a.kind, folder, a.conninfo) as at:
        loop_of(a.loop, Calls.seeded(WARM_UP_STEPS, 0, a.seed), at)(str(uuid4()))
        run = loop_of(a.loop, Calls.seeded(a.steps, a.call_ms, a.seed), at, a.durability)
        stored = at.stored()
        thread = str(uuid4())  # a thread of an earlier run would go on with its texts
        gc.collect()
        memory_kb, cpu, began = _largest_kb(), time.process_time(), time.perf_counter()
        graph = run(thread)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        state = graph.get_state(config_of(thread)).values
        return Taken(
            wall_ms=wall * 1000,
            cpu_ms=cpu * 1000,
            memory_kb=_largest_kb() - memory_kb,
            state_bytes=len(JsonPlusSerializer().dumps_typed(state)[1]),
            stored_bytes=at.stored() - stored,
        )


def _largest_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", choices=LOOPS)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("steps", type=int)
    parser.add_argument("--call-ms", type=int, default=0)
    parser.add_argument("--durability", choices=get_args(Durability), default="async")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--conninfo", default="")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        taken = measure(a, Path(folder))
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
