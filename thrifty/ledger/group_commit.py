"""Group commit: threads that wait for the disk at the same moment share one commit.

Each still has a result of its own, which it gets only after the shared commit: one thread
leads and does the work of all that are in the queue, and the others find theirs done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

from thrifty.ledger.storage import Tables

T = TypeVar("T")


class QueuedWork(Generic[T]):
    """A piece of work in a queue, and what came of it."""

    def __init__(self, work: Callable[[Tables], T]) -> None:
        self.work = work
        self.is_done = False
        self.error: Exception | None = None
        """Why it failed by itself, so that its changes were undone and nobody else's."""
        self._results: list[T] = []
        # Held until `wake`: an `Event` makes commits up to a tenth slower.
        self._wake_lock = Lock()
        self._wake_lock.acquire()

    def wait(self) -> None:
        """Sleeps until it is done, or until its thread leads."""
        self._wake_lock.acquire()

    def wake(self) -> None:
        """Ends `wait`. It is called once."""
        self._wake_lock.release()

    def attempt(self, tables: Tables) -> None:
        """Does the work, and keeps what it raises for its own thread.

        Raises:
            Exception: what the work raised, so that its changes can be undone.
        """
        self.error, self._results = None, []
        try:
            self._results.append(self.work(tables))
        except Exception as error:
            self.error = error
            raise

    def result(self) -> T:
        """What came of it, in the thread that asked for it."""
        if self.error is not None:
            raise self.error
        return self._results[0]


CommitQueued = Callable[[Sequence[QueuedWork[Any]]], None]
"""Attempts tasks and commits them together."""


class GroupCommit:
    """A queue of tasks that are committed together."""

    def __init__(self) -> None:
        self._waiting: dict[QueuedWork[Any], None] = {}
        self._leader: QueuedWork[Any] | None = None
        """Whose thread commits for all that wait."""
        self._lock = Lock()

    def run(self, work: Callable[[Tables], T], commit: CommitQueued) -> T:
        """Does some work and returns once it is committed, by this call or by another one's."""
        task = QueuedWork(work)
        try:
            self._enqueue(task)
            if self._leader is not task:
                task.wait()
            if not task.is_done:
                self._commit_queued(commit)
        finally:
            self._dequeue(task)
        return task.result()

    def _enqueue(self, task: QueuedWork[Any]) -> None:
        with self._lock:
            self._waiting[task] = None
            self._leader = self._leader or task

    def _commit_queued(self, commit: CommitQueued) -> None:
        with self._lock:
            tasks = list(self._waiting)
        commit(tasks)
        for task in tasks:
            task.is_done = True

    def _dequeue(self, task: QueuedWork[Any]) -> None:
        """Leaves the queue. A leader also wakes those that are done, and the next leader.

        Where its commit failed or was interrupted, the others are not done and try themselves.
        """
        with self._lock:
            self._waiting.pop(task, None)
            if self._leader is not task:
                return
            awake = [other for other in self._waiting if other.is_done]
            for other in awake:
                del self._waiting[other]
            self._leader = next(iter(self._waiting), None)
        # The next leader first: the disk need not wait until the others are awake.
        for other in [self._leader, *awake] if self._leader else awake:
            other.wake()
