"""Many runs at once, in one process, on one account: what a process gets done, and how soon.

The parent starts as many of these as the table asks for, on one PostgreSQL: each prints a line
of JSON. They wait for a common moment, so that all runs of all processes compete.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict

from benchmarks.graph.backends import open_backend
from benchmarks.graph.one_run import thread_config
from benchmarks.graph.scripted_calls import CALL_TOKENS, TASK, ScriptedCalls
from thrifty import Settings, create_budget_agent

ACCOUNT = "team"


class ProcessFigures(TypedDict):
    """What one process has done."""

    seconds: list[float]
    """How long each run took, its wait for the processor included."""
    began: float
    ended: float
    """As the clock on the wall has it, which processes share."""
    statuses: dict[str, int]
    errors: dict[str, int]


def run_many(
    name: str, runs: int, calls: ScriptedCalls, conninfo: str, start_at_s: float
) -> ProcessFigures:
    """Starts all runs at one moment, each in a thread of its own."""
    seconds: list[float] = []
    statuses: dict[str, int] = {}
    errors: dict[str, int] = {}
    with TemporaryDirectory() as folder, open_backend("postgres", Path(folder), conninfo) as here:
        agent = create_budget_agent(
            catalog=calls.catalog(),
            executors=calls.executors(),
            settings=Settings(),
            ledger=here.ledger,
            checkpointer=here.checkpointer,
            account=ACCOUNT,
        )
        given: Any = {
            "task": TASK,
            "budget": {"max_tokens": 2 * CALL_TOKENS * calls.steps, "max_tool_calls": calls.steps},
        }
        context: Any = {"max_steps": calls.steps}

        def one(number: int) -> None:
            began = time.perf_counter()
            try:
                thread = thread_config(f"{name}-{number}")
                word = agent.invoke(given, thread, context=context)["status"]
                statuses[word] = statuses.get(word, 0) + 1
            except Exception as error:  # noqa: BLE001 - the table says how many, and which
                kind = type(error).__name__
                errors[kind] = errors.get(kind, 0) + 1
            seconds.append(time.perf_counter() - began)

        with ThreadPoolExecutor(runs) as pool:
            time.sleep(max(0.0, start_at_s - time.time()))
            start = time.time()
            list(pool.map(one, range(runs)))
            ended = time.time()
    return ProcessFigures(
        seconds=seconds, began=start, ended=ended, statuses=statuses, errors=errors
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("runs", type=int)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--call-ms", type=int, required=True)
    parser.add_argument("--conninfo", required=True)
    parser.add_argument("--at", type=float, required=True, help="when to start, in Unix time")
    parser.add_argument("--seed", type=int, default=7)
    a = parser.parse_args()
    calls = ScriptedCalls.generate(a.steps, a.call_ms, a.seed)
    print(json.dumps(run_many(a.name, a.runs, calls, a.conninfo, a.at)))


if __name__ == "__main__":
    main()
