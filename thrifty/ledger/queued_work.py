"""A piece of work for a ledger's threads, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from thrifty.budget import LedgerUnavailable
from thrifty.ledger.storage import CallNames, Tables
from thrifty.ledger.thread_waker import ThreadWaker

T = TypeVar("T")
WorkKind = Literal["write", "write alone", "read", "single read"]
"""What a piece of work needs: a transaction to write, shared or not, one to read, or none around
one look."""


class QueuedWork(Generic[T]):
    """A piece of work in a queue, and what came of it."""

    __slots__ = (
        "_error",
        "_results",
        "_waker",
        "asked_s",
        "call",
        "is_attempted",
        "is_done",
        "kind",
        "work",
    )

    def __init__(
        self,
        work: Callable[[Tables], T],
        kind: WorkKind,
        call: CallNames | None,
        waker: ThreadWaker | None = None,
    ) -> None:
        self.work, self.kind, self.call = work, kind, call
        self.asked_s = time.monotonic()
        """When it was asked for, on the monotonic clock."""
        self.is_attempted = False
        self.is_done = False
        """Whether its own thread may go on: it is committed, or has failed."""
        self._waker = waker
        self._error: BaseException | None = None
        self._results: list[T] = []

    def attempt(self, tables: Tables) -> None:
        """Does the work, and keeps what it raises for its own thread.

        Raises:
            BaseException: what the work raised, so that its changes can be undone.
        """
        self.is_attempted, self._error, self._results = True, None, []
        try:
            self._results.append(self.work(tables))
        except BaseException as error:
            self._error = error
            raise

    def finish(self) -> None:
        """Lets its own thread go on."""
        if not self.is_done:
            self.is_done = True
            if self._waker is not None:  # else its own thread does it
                self._waker.wake()

    def fail(self, error: BaseException) -> None:
        """Tells its own thread why nothing was done."""
        self._error = error
        self.finish()

    def part_from_parent(self) -> None:
        """In a forked process: nobody does it here."""
        if self._waker is not None:
            self._waker.part_from_parent()
        self.fail(LedgerUnavailable("the process forked meanwhile: its parent does what was asked"))

    def take_result(self) -> T:
        """What came of it, handed out once: an error holds on to all that its frames hold."""
        error, self._error = self._error, None
        if error is None:
            return self._results[0]
        try:
            raise error
        finally:
            del error
