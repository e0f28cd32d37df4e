"""Group commit: a queue of work, and threads of its own that do it.

What waits at the same moment shares a transaction, and each piece still has a result of its own.
All that touches a file or a connection runs in these threads, where no signal handler ever runs.
Who asks holds no lock while it waits. So a Ctrl-C there breaks nothing: the work is done wholly
or not at all. And a signal handler may ask the ledger in the very thread that waits for it.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar
from weakref import WeakSet

from thrifty.budget import LedgerUnavailable
from thrifty.ledger import process_fork
from thrifty.ledger.queued_work import QueuedWork, WorkKind
from thrifty.ledger.storage import CallNames, Tables
from thrifty.ledger.thread_waker import ThreadWaker, make_waker

T = TypeVar("T")

BATCH_MAX = 64
"""The most pieces of work in one transaction."""
EXIT_WAIT_S = 2.0
"""How long the end of the program waits for what is still queued."""


Commit = Callable[[Sequence[QueuedWork[Any]]], None]
"""Attempts pieces of work and commits them together. It may finish some of them before.

Where it raises, nothing was changed. If it had attempted some, each of them tries once more by
itself, since the trouble may be of one alone. Else all that are not done are told why.
"""


class _StopMark:
    """Ends the thread that takes it out of the queue; the last mark ends one after another."""

    def __init__(self, is_last: bool = False) -> None:
        self.is_last = is_last
        self.ended = Lock()
        self.ended.acquire()


_Item = QueuedWork[Any] | _StopMark


@dataclass(frozen=True, slots=True)
class _Workplace:
    """What a queue's threads hold. The queue itself is not in it, so that it can be collected."""

    commit: Commit
    close: Callable[[], None]
    batch_max: int
    items: SimpleQueue[_Item] = field(default_factory=SimpleQueue)
    waker: ThreadWaker = field(default_factory=make_waker)
    """Where a thread sleeps that finds no item."""
    seats: SimpleQueue[None] = field(default_factory=SimpleQueue)
    """One for each thread that may still begin. Who finds none ends at once."""
    batches: dict[int, list[QueuedWork[Any]]] = field(default_factory=dict)
    """What each thread is working at."""
    idle_wakers: list[ThreadWaker] = field(default_factory=list)
    """For those who wait. One that was interrupted is not used again: it may still be woken."""


class _WriterState(threading.local):
    """Whether this thread is one of a queue's."""

    is_writer = False


_writer_state = _WriterState()
_queues: WeakSet[CommitQueue] = WeakSet()


class CommitQueue:
    """A queue of work with threads of its own, which begin when they are needed.

    Args:
        commit: attempts work and commits it. With several threads, each calls it by itself.
        close: closes what `commit` opened. Each thread calls it as it ends.
        threads: how many work at once.
        batch_max: the most pieces of work that one of them takes at a time.
    """

    def __init__(
        self,
        commit: Commit,
        close: Callable[[], None],
        threads: int = 1,
        batch_max: int = BATCH_MAX,
    ) -> None:
        self._threads = threads
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
        self._workplace.items.put(_StopMark(is_last=True))
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
            mark = _StopMark()
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
        self._workplace = self._new_workplace(parents.commit, parents.close, parents.batch_max)
        unfinished: list[_Item] = [task for batch in parents.batches.values() for task in batch]
        with suppress(Empty):
            while True:
                unfinished.append(parents.items.get_nowait())
        # Only who forked in a signal handler, while it waited, comes to hear of it.
        for item in unfinished:
            if isinstance(item, _StopMark):
                item.ended.release()
            else:
                item.part_from_parent()

    def _new_workplace(
        self, commit: Commit, close: Callable[[], None], batch_max: int
    ) -> _Workplace:
        workplace = _Workplace(commit, close, batch_max)
        for _ in range(self._threads):
            workplace.seats.put(None)
        return workplace

    def _submit(self, item: _Item, threads: int) -> None:
        """Queues something, for so many threads at the least."""
        workplace = self._workplace
        free = self._threads - threads
        if workplace.seats.qsize() > free:  # where no thread can start, nothing must be queued
            _start_thread(workplace)
        try:
            workplace.items.put(item)
        finally:  # also where a signal handler raises: it must not lie there until the next one
            workplace.waker.wake()
            if workplace.seats.qsize() > free and not workplace.items.empty():
                _start_thread(workplace)  # the one that was there has ended between


def _check_may_wait() -> None:
    if _writer_state.is_writer:
        raise LedgerUnavailable(
            "a ledger was asked from within a transaction of a ledger; ask after it has ended"
        )
    if process_fork.is_forking():
        raise LedgerUnavailable("this thread is about to fork; ask the ledger after the fork")
    if sys.is_finalizing():
        raise LedgerUnavailable("Python is shutting down; ask the ledger before, as by `atexit`")


def _start_thread(workplace: _Workplace) -> None:
    """Starts a thread. One too many ends at once, so that nobody has to hold a lock here."""
    has_begun = Lock()
    has_begun.acquire()
    thread = Thread(target=_serve, args=(workplace, has_begun), name="thrifty ledger", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise LedgerUnavailable(
            f"no thread can be started for the ledger ({error}); end some, or raise their limit"
        ) from error
    has_begun.acquire()


def _serve(workplace: _Workplace, has_begun: Lock) -> None:
    """What a thread does: it works until it takes a stop mark."""
    _writer_state.is_writer = True
    is_needed = _take_seat(workplace)
    has_begun.release()
    while is_needed:
        try:
            mark = _work_until_stopped(workplace)
        finally:
            workplace.close()
            # Who queues something from now on finds a free seat, and starts a thread.
            workplace.seats.put(None)
        if mark.is_last:
            workplace.items.put(mark)
            workplace.waker.wake()
            return
        # What came behind the mark may have come while the seat was still taken.
        is_needed = not workplace.items.empty() and _take_seat(workplace)
        mark.ended.release()


def _take_seat(workplace: _Workplace) -> bool:
    try:
        workplace.seats.get_nowait()
    except Empty:
        return False
    return True


def _work_until_stopped(workplace: _Workplace) -> _StopMark:
    batch = workplace.batches[threading.get_ident()] = []
    mark = None
    try:
        while not mark:
            mark = _take_items(workplace.items, batch, workplace.batch_max)
            if batch:
                if not workplace.items.empty():
                    workplace.waker.wake()  # another thread, for the rest
                _commit_batch(batch, workplace.commit)
                _finish_all(batch)
            elif not mark:
                workplace.waker.sleep()
    finally:
        _finish_all(batch)
        del workplace.batches[threading.get_ident()]
    return mark


def _finish_all(batch: list[QueuedWork[Any]]) -> None:
    """Lets everybody go on, and forgets them: who sleeps must not keep alive what it has done."""
    for task in batch:
        task.finish()
    batch.clear()


def _take_items(
    items: SimpleQueue[_Item], batch: list[QueuedWork[Any]], batch_max: int
) -> _StopMark | None:
    """Adds to a batch what waits, as far as the next stop mark."""
    try:
        while len(batch) < batch_max and not items.empty():
            item = items.get_nowait()
            if isinstance(item, _StopMark):
                return item
            batch.append(item)
    except Empty:  # another thread was quicker
        pass
    return None


def _commit_batch(batch: Sequence[QueuedWork[Any]], commit: Commit) -> None:
    try:
        commit(batch)
    except BaseException as error:  # noqa: BLE001 - each thread raises its own
        undone = [task for task in batch if not task.is_done]
        may_be_one_alone = len(undone) > 1 and any(task.is_attempted for task in undone)
        for task in undone:
            if may_be_one_alone:
                _commit_batch([task], commit)
            else:
                task.fail(error)


@atexit.register
def _stop_all() -> None:
    """Closes files in good order at the end of the program, as far as that takes no time."""
    give_up_at_s = time.monotonic() + EXIT_WAIT_S
    for queue in list(_queues):
        if queue.is_running:
            with suppress(LedgerUnavailable):
                queue.stop(max(0.0, give_up_at_s - time.monotonic()))
