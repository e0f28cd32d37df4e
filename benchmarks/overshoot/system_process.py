"""One system at work, in a process and an environment of its own.

    python -m benchmarks.overshoot.system_process SYSTEM BASE_URL

Each line of its input is a run to do, as JSON; each line of its output is how that ended.
"""

import asyncio
import json
import os
import sys
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Protocol

from benchmarks.overshoot.workload import AgentStopped, Cell


class SystemRun(Protocol):
    """One budget in the hands of a system."""

    async def ask(self, prompt: str) -> str:
        """Asks once more; returns the finish reason of the answer that the caller got.

        Raises:
            Stopped: the caller got no answer, and may not go on.
        """
        ...

    def spent_usd(self) -> float:
        """What the system believes was spent."""
        ...


class System(Protocol):
    """A module of `systems`."""

    def open_run(self, cell: Cell, base_url: str) -> AbstractAsyncContextManager[SystemRun]:
        """A run with a fresh budget."""
        ...


async def run_callers(run: SystemRun, callers: int, prompt: str) -> list[str]:
    """Lets the callers ask until the system stops them; the finish reasons that they got.

    Where a refusal is final, nobody starts another call after it.
    """
    finishes: list[str] = []
    over = asyncio.Event()

    async def caller() -> None:
        while not over.is_set():
            try:
                finishes.append(await run.ask(prompt))
            except AgentStopped as stopped:
                if stopped.final:
                    over.set()
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return finishes


async def serve(system: System, base_url: str) -> None:
    """Does the runs that come in, one after the other."""
    to_parent = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer of ours
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        cell = Cell(**order["cell"])
        async with system.open_run(cell, base_url) as run:
            finishes = await run_callers(run, cell.callers, order["prompt"])
            spent_usd = run.spent_usd()
        print(json.dumps({"finishes": finishes, "spent_usd": spent_usd}), file=to_parent)


if __name__ == "__main__":
    module: System = import_module(f"benchmarks.overshoot.systems.{sys.argv[1]}")
    asyncio.run(serve(module, sys.argv[2]))
