"""thrifty: a metered chat model as it is by default, which takes what is left or is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.overshoot.systems.thrifty_metered import MeteredRun, chat_model
from benchmarks.overshoot.workload import Cell


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[MeteredRun]:
    yield MeteredRun(cell, chat_model(base_url, cell.max_tokens), patience_ms=0)
