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
        self.leads = False
        """Whether it is its thread's turn to do all that wait."""
        self.is_done = False
        self.error: Exception | None = None
        """Why it failed by itself, so that its changes were undone and nobody else's."""
        self._results: list[T] = []
        self._asleep = Lock()
        self._asleep.acquire()

    def wait(self) -> None:
        """Sleeps until it is done, or leads."""
        self._asleep.acquire()

    def wake(self) -> None:
        """Ends `wait`; called once."""
        self._asleep.release()

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


Commit = Callable[[Sequence[Task[Any]]], None]
"""Attempts tasks and commits them together."""


class Together:
    """A queue of tasks that are committed together."""

    def __init__(self) -> None:
        self._waiting: dict[Task[Any], None] = {}
        self._is_led = False
        self._lock = Lock()

    def do(self, work: Callable[[Books], T], commit: Commit) -> T:
        """Does some work and returns once it is committed, by this call or by another one's."""
        task = Task(work)
        try:
            self._queue(task)
            if not task.leads:
                task.wait()
            if not task.is_done:
                self._lead(commit)
        finally:
            self._leave(task)
        return task.result()

    def _queue(self, task: Task[Any]) -> None:
        with self._lock:
            self._waiting[task] = None
            task.leads, self._is_led = not self._is_led, True

    def _lead(self, commit: Commit) -> None:
        with self._lock:
            tasks = list(self._waiting)
        commit(tasks)
        for task in tasks:
            task.is_done = True

    def _leave(self, task: Task[Any]) -> None:
        """Leaves the queue and, from its head, wakes those that are done and the next to lead.

        Where the commit failed or was interrupted, the others try, and are told, themselves.
        """
        with self._lock:
            self._waiting.pop(task, None)
            if not task.leads:
                return
            awake = [other for other in self._waiting if other.is_done]
            for other in awake:
                del self._waiting[other]
            heir = next(iter(self._waiting), None)
            if heir is None:
                self._is_led = False
            else:
                heir.leads = True
                awake.insert(0, heir)
        for other in awake:
            other.wake()
