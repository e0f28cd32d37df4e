"""The compiled graph, which gives back the runs it drove however an invocation ends."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from thrifty.graph.leases import drive_as
from thrifty.graph.left_streams import (
    abandon_with_loop,
    is_loop_ending,
    note_advance,
    note_end,
    note_stream,
)
from thrifty.graph.redact import redact
from thrifty.graph.retries import keep_place
from thrifty.ledger.authority import inherit_user
from thrifty.ledger.owner import new_owner_name
from thrifty.models.calls.node_attempts import brings_answer
from thrifty.nodes.context import Context
from thrifty.nodes.state import Input, Output, State
from thrifty.run.services import Services

NO_PART = object()
"""What stands for the next part of a stream that has ended."""


class BudgetAgent(CompiledStateGraph[State, Context, Input, Output]):
    """A LangGraph graph like any other, to `invoke`, `stream`, `ainvoke`, or use as a node.

    Every way to run it leads through `stream` or `astream`, which know when an invocation is
    over: done, waiting, failed, or abandoned by whoever read it.
    """

    def __init__(self, *, services: Services, **compiled: Any) -> None:
        """A compiled graph, by its attributes, with what its nodes work with."""
        super().__init__(**compiled)
        self.services = services

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **options: Any
    ) -> Iterator[Any]:
        """Runs the graph, as LangGraph's own `stream` does."""
        driver = new_owner_name()
        parts: Any = super().stream(input, self._configure(input, config), **options)
        stream = self._stream(parts, driver, _brings_answer(input))
        note_stream(driver, stream)
        return stream

    def _configure(self, given: Any, config: RunnableConfig | None) -> Any:
        around = var_child_runnable_config.get()
        # With who is authenticated around it, in its first place, and without secrets.
        return keep_place(redact(inherit_user(config, around)), self, given)

    def _stream(self, generator: Any, driver: str, is_answer: bool | None) -> Generator[Any]:
        # Twice, as a Ctrl-C may come between any two lines, the last of them included.
        try:
            try:
                # Who stops reading leaves a generator behind. It is closed now, not when it is
                # collected.
                with closing(generator) as parts:
                    while (part := _next(parts, driver, is_answer)) is not NO_PART:
                        yield part
            finally:
                self.services.runs.end_invocation(driver)
        finally:
            self.services.runs.end_invocation(driver)
            note_end(driver)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **options: Any
    ) -> AsyncIterator[Any]:
        """Runs the graph, as LangGraph's own `astream` does."""
        driver, is_answer = new_owner_name(), _brings_answer(input)
        parts: Any = super().astream(input, self._configure(input, config), **options)
        try:
            while (part := await _anext(parts, driver, is_answer)) is not NO_PART:
                yield part
        finally:
            abandon_with_loop(driver, self.services.runs)
            # A loop that ends closes every generator by itself, this one as well.
            if not (parts.ag_running or is_loop_ending()):
                await parts.aclose()
            await to_thread(self.services.runs.end_invocation, driver)  # it may write to a database


def _brings_answer(given: Any) -> bool | None:
    """Whether an invocation is given an answer. Within another graph, that one was asked."""
    if isinstance(given, Command) and given.resume is not None:
        return True
    return brings_answer() if var_child_runnable_config.get() else False


def _next(parts: Iterator[Any], driver: str, is_answer: bool | None) -> Any:
    note_advance(driver)
    with drive_as(driver, is_answer):
        # What the caller does between two parts is no part of the run.
        return next(parts, NO_PART)


async def _anext(parts: AsyncIterator[Any], driver: str, is_answer: bool | None) -> Any:
    with drive_as(driver, is_answer):
        return await anext(parts, NO_PART)
