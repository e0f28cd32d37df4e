"""thrifty: the same patient model, of the vendor that the cell names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any

from benchmarks.overshoot.systems.thrifty_metered import PATIENCE_MS, MeteredRun
from benchmarks.overshoot.vendors import vendor_case
from benchmarks.overshoot.workload import Cell


@cache
def chat_model(vendor: str, base_url: str) -> Any:
    """The agent's own model, built once."""
    server: Any = SimpleNamespace(base_url=base_url, root_url=base_url.removesuffix("/v1"))
    return vendor_case(vendor).at(server)


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[MeteredRun]:
    terms = vendor_case(cell.vendor).terms
    yield MeteredRun(cell, chat_model(cell.vendor, base_url), PATIENCE_MS, **terms)
