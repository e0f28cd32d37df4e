"""Group commit: a queue of work, and threads of its own that do it.

What waits at the same moment shares a transaction, and each piece still has a result of its own.
All that touches a file or a connection runs in threads in which no signal handler ever runs. The
main thread holds no lock while it waits for them. So a Ctrl-C there breaks nothing: the work is
done wholly or not at all. And a signal handler may ask the ledger in the very thread that waits.

To wake a thread and to be woken by it takes longer than a small transaction. So who asks in
another thread than the main one may do its work itself, while nothing else is to be done.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from queue import Empty
from threading import Lock
from typing import TypeVar
from weakref import WeakSet

from thrifty.budget import LedgerUnavailable
from thrifty.ledger import process_fork
from thrifty.ledger.ledger_thread import (
    Commit,
    QueueItem,
    StopMark,
    Workplace,
    commit_together,
    start_thread,
    thread_state,
)
from thrifty.ledger.queued_work import QueuedWork, WorkKind
from thrifty.ledger.storage import CallNames, Tables
from thrifty.ledger.thread_waker import make_waker

T = TypeVar("T")

BATCH_MAX = 64
"""The most pieces of work in one transaction."""
EXIT_WAIT_S = 2.0
"""How long the end of the program waits for what is still queued."""


_queues: WeakSet[CommitQueue] = WeakSet()


class CommitQueue:
    """A queue of work with threads of its own, which begin when they are needed.

    Args:
        commit: attempts work and commits it. With several threads, each calls it by itself.
        close: closes what `commit` opened. Each thread calls it as it ends.
        threads: how many work at once.
        batch_max: the most pieces of work that one of them takes at a time.
        callers_commit: whether who asks may do its work itself, where there is one thread.
    """

    def __init__(
        self,
        commit: Commit,
        close: Callable[[], None],
        threads: int = 1,
        batch_max: int = BATCH_MAX,
        *,
        callers_commit: bool = False,
    ) -> None:
        self._threads = threads
        self._turn = Lock() if callers_commit else None
        self._workplace = self._new_workplace(commit, close, batch_max)
        process_fork.register_fork_aware(self)
        _queues.add(self)

    def __del__(self) -> None:
        # Nobody can ask any more. The threads do what is left, and end. Nothing waits for them
        # here: this may run anywhere, even in one of them.
        try:
            self._end_threads()
        except KeyboardInterrupt:  # which would be lost here in any case
            self._end_threads()

    def _end_threads(self) -> None:
        self._workplace.items.put(StopMark(is_last=True))
        if self.is_running:  # else the collector may have closed the waker before
            self._workplace.waker.wake()

    def run(
        self,
        work: Callable[[Tables], T],
        kind: WorkKind = "write",
        call: CallNames | None = None,
    ) -> T:
        """Has some work done, and returns once it is committed.

        Raises:
            LedgerUnavailable: this thread must not wait for a ledger. Nothing was changed.
        """
        _check_may_wait()
        if turn := self._take_turn():
            return self._do_at_once(QueuedWork(work, kind, call), turn)
        idle = self._workplace.idle_wakers
        try:
            waker = idle.pop()
        except IndexError:
            waker = make_waker()
        task = QueuedWork(work, kind, call, waker)
        self._submit(task, self._threads)
        while not task.is_done:
            waker.sleep()
        idle.append(waker)
        return task.take_result()

    def _take_turn(self) -> Lock | None:
        """What this thread has to hand on once it has done its work itself. None if others do."""
        turn = self._turn
        if turn is None or threading.current_thread() is threading.main_thread():
            return None
        if not turn.acquire(blocking=False):
            return None
        # What is queued comes first. And a thread that runs is what closes the file in the end.
        if self.is_running and self._workplace.items.empty():
            return turn
        turn.release()
        return None

    def _do_at_once(self, task: QueuedWork[T], turn: Lock) -> T:
        try:
            thread_state.is_writing = True
            commit_together([task], self._workplace.commit)
        finally:
            thread_state.is_writing = False
            turn.release()
        return task.take_result()

    def stop(self, wait_s: float = -1) -> None:
        """Does what is queued, closes what is open and ends the threads. The next work begins
        new ones.

        Args:
            wait_s: how long to wait for that, or -1 for as long as it takes.
        """
        _check_may_wait()
        for turn in range(self._threads):
            if turn and not self.is_running:
                return
            mark = StopMark()
            self._submit(mark, 1)
            mark.ended.acquire(timeout=wait_s)

    @property
    def is_running(self) -> bool:
        """Whether one of its threads has begun and not ended."""
        return self._workplace.seats.qsize() < self._threads

    def before_fork(self) -> None:
        """Nothing to do: who has a file or a connection open is told as well."""

    def after_fork(self, in_child: bool) -> None:
        """The child has none of the threads, and the parent does what was queued."""
        if not in_child:
            return
        parents = self._workplace
        self._turn = Lock() if self._turn else None  # another thread may have held it
        self._workplace = self._new_workplace(parents.commit, parents.close, parents.batch_max)
        unfinished: list[QueueItem] = [task for batch in parents.batches.values() for task in batch]
        with suppress(Empty):
            while True:
                unfinished.append(parents.items.get_nowait())
        # Only who forked in a signal handler, while it waited, comes to hear of it.
        for item in unfinished:
            if isinstance(item, StopMark):
                item.ended.release()
            else:
                item.part_from_parent()

    def _new_workplace(
        self, commit: Commit, close: Callable[[], None], batch_max: int
    ) -> Workplace:
        workplace = Workplace(commit, close, batch_max, self._turn or nullcontext())
        for _ in range(self._threads):
            workplace.seats.put(None)
        return workplace

    def _submit(self, item: QueueItem, threads: int) -> None:
        """Queues something, for so many threads at the least."""
        workplace = self._workplace
        free = self._threads - threads
        if workplace.seats.qsize() > free:  # where no thread can start, nothing must be queued
            start_thread(workplace)
        try:
            workplace.items.put(item)
        finally:  # also where a signal handler raises: it must not lie there until the next one
            workplace.waker.wake()
            if workplace.seats.qsize() > free and not workplace.items.empty():
                start_thread(workplace)  # the one that was there has ended between


def _check_may_wait() -> None:
    if thread_state.is_writing:
        raise LedgerUnavailable(
            "a ledger was asked from within a transaction of a ledger; ask after it has ended"
        )
    if process_fork.is_forking():
        raise LedgerUnavailable("this thread is about to fork; ask the ledger after the fork")
    if sys.is_finalizing():
        raise LedgerUnavailable("Python is shutting down; ask the ledger before, as by `atexit`")


@atexit.register
def _stop_all() -> None:
    """Closes files in good order at the end of the program, as far as that takes no time."""
    give_up_at_s = time.monotonic() + EXIT_WAIT_S
    for queue in list(_queues):
        if queue.is_running:
            with suppress(LedgerUnavailable):
                queue.stop(max(0.0, give_up_at_s - time.monotonic()))
