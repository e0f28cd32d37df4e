"""Threads that wait for the disk at the same moment share one trip to it.

Each still has a result of its own, which it gets only after the shared commit: one thread
does the work of all that stand in the queue when its turn comes, the others find theirs done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition
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

    def __init__(self, commit: Callable[[Sequence[Task[Any]]], None]) -> None:
        self._commit = commit
        self._waiting: dict[Task[Any], None] = {}
        self._is_led = False
        self._changed = Condition()

    def do(self, work: Callable[[Books], T]) -> T:
        """Does some work and returns once it is committed."""
        task = Task(work)
        try:
            if tasks := self._led_by(task):
                self._lead(tasks)
        finally:
            # Where the commit failed or was interrupted, the others try, and are told, themselves.
            self._waiting.pop(task, None)
        return task.result()

    def _led_by(self, task: Task[Any]) -> list[Task[Any]]:
        """Waits until a task is done by others, or until it is its turn to do all that wait."""
        with self._changed:
            self._waiting[task] = None
            while self._is_led and not task.is_done:
                self._changed.wait()
            if task.is_done:
                return []
            self._is_led = True
            return list(self._waiting)

    def _lead(self, tasks: Sequence[Task[Any]]) -> None:
        try:
            self._commit(tasks)
            for task in tasks:
                task.is_done = True
                self._waiting.pop(task, None)
        finally:
            with self._changed:
                self._is_led = False
                self._changed.notify_all()
