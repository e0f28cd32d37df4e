"""Threads that wait for the disk at the same moment share one trip to it.

Each still has a result of its own, which it gets only after the shared commit: one thread
does the work of all that stand in the queue when its turn comes, the others find theirs done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

from thrifty.ledger.store import Books

T = TypeVar("T")


class Task(Generic[T]):
    """A piece of work in a queue, and what came of it."""

    def __init__(self, work: Callable[[Books], T]) -> None:
        self.work = work
        self.is_done = False
        self.error: Exception | None = None
        """Why it failed by itself, so that its changes were undone and nobody else's."""
        self._results: list[T] = []

    def attempt(self, books: Books) -> None:
        """Does the work; what it raises is kept for its own thread.

        Raises:
            Exception: what the work raised, so that its changes can be undone.
        """
        self.error, self._results = None, []
        try:
            self._results.append(self.work(books))
        except Exception as error:
            self.error = error
            raise

    def result(self) -> T:
        """What came of it, in the thread that asked for it."""
        if self.error is not None:
            raise self.error
        return self._results[0]


class Together:
    """A queue of tasks that are committed together."""

    def __init__(self, lock: Lock, commit: Callable[[Sequence[Task[Any]]], None]) -> None:
        self._lock = lock
        self._commit = commit
        self._waiting: dict[Task[Any], None] = {}

    def do(self, work: Callable[[Books], T]) -> T:
        """Does some work and returns once it is committed."""
        task = Task(work)
        self._waiting[task] = None
        try:
            with self._lock:
                if not task.is_done:
                    self._do_all()
        finally:
            # Where the commit failed or was interrupted, the others try, and are told, themselves.
            self._waiting.pop(task, None)
        return task.result()

    def forget(self) -> None:
        """Drops what other threads wait for, in a forked process where they do not exist."""
        self._waiting.clear()

    def _do_all(self) -> None:
        tasks = list(self._waiting)
        self._commit(tasks)
        for task in tasks:
            self._waiting.pop(task, None)
            task.is_done = True
