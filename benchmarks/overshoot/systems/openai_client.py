"""The client that most peers wrap."""

from functools import cache
from typing import Any

from openai import AsyncOpenAI

from benchmarks.overshoot.workload import MODEL, Cell


@cache
def open_client(base_url: str) -> AsyncOpenAI:
    """One client a process, with one pool of connections."""
    return AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)


def request_arguments(cell: Cell, prompt: str) -> dict[str, Any]:
    """The arguments of a call."""
    given = {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
    return given if cell.max_tokens is None else given | {"max_tokens": cell.max_tokens}
