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

from benchmarks.graph import baseline_loops
from benchmarks.graph.backends import BACKEND_KINDS, Backend, open_backend
from benchmarks.graph.scripted_calls import CALL_TOKENS, TASK, ScriptedCalls
from thrifty import Settings, create_budget_agent

Loop = Literal["thrifty", "three_nodes", "one_node"]
LOOPS: tuple[Loop, ...] = ("thrifty", "three_nodes", "one_node")
WARM_UP_STEPS = 3
RECURSION_MAX = 100_000


class RunFigures(TypedDict):
    """What a run took."""

    wall_ms: float
    cpu_ms: float
    memory_kb: int
    """By how much the process grew at its largest."""
    state_bytes: int
    """The last checkpoint's state, written out."""
    stored_bytes: int
    """All checkpoints of the run."""


def make_runner(
    loop: Loop, calls: ScriptedCalls, backend: Backend, durability: Durability = "async"
) -> Callable[[str], Any]:
    """Does a whole run on a thread of that name, and returns the graph."""
    made: Any
    if loop == "thrifty":
        made = create_budget_agent(
            catalog=calls.catalog(),
            executors=calls.executors(),
            settings=Settings(),
            ledger=backend.ledger,
            checkpointer=backend.checkpointer,
        )
        budget = {"max_tokens": 2 * CALL_TOKENS * calls.steps, "max_tool_calls": calls.steps}
        given: Any = {"task": TASK, "budget": budget}
        options: dict[str, Any] = {"context": {"max_steps": calls.steps}}
    else:
        made = getattr(baseline_loops, loop)(calls, backend.checkpointer)
        given, options = baseline_loops.initial_state(), {}

    def run(thread: str) -> Any:
        result = made.invoke(given, thread_config(thread), durability=durability, **options)
        written = sum(answer in result["draft"] for answer in calls.answers)
        assert written == calls.steps, f"{written} of {calls.steps} answers are in the draft"
        return made

    return run


def thread_config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_MAX}


def measure(arguments: argparse.Namespace, folder: Path) -> RunFigures:
    """Runs once to warm up, and once for the figures."""
    with open_backend(arguments.kind, folder, arguments.conninfo) as at:
        make_runner(arguments.loop, ScriptedCalls.generate(WARM_UP_STEPS, 0, arguments.seed), at)(
            str(uuid4())
        )
        run = make_runner(
            arguments.loop,
            ScriptedCalls.generate(arguments.steps, arguments.call_ms, arguments.seed),
            at,
            arguments.durability,
        )
        stored = at.stored_bytes()
        thread = str(uuid4())  # a thread of an earlier run would go on with its texts
        gc.collect()
        memory_kb, cpu, began = _peak_memory_kb(), time.process_time(), time.perf_counter()
        graph = run(thread)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        state = graph.get_state(thread_config(thread)).values
        return RunFigures(
            wall_ms=wall * 1000,
            cpu_ms=cpu * 1000,
            memory_kb=_peak_memory_kb() - memory_kb,
            state_bytes=len(JsonPlusSerializer().dumps_typed(state)[1]),
            stored_bytes=at.stored_bytes() - stored,
        )


def _peak_memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", choices=LOOPS)
    parser.add_argument("kind", choices=BACKEND_KINDS)
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
