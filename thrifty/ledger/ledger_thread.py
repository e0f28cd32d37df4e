"""The threads of a commit queue: they take what waits and commit it together.

Python runs signal handlers in the main thread alone, so that none ever runs in these.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from thrifty.budget import LedgerUnavailable
from thrifty.ledger.queued_work import QueuedWork
from thrifty.ledger.thread_waker import ThreadWaker, make_waker

Commit = Callable[[Sequence[QueuedWork[Any]]], None]
"""Attempts pieces of work and commits them together. It may finish some of them before.

Where it raises, nothing was changed. If it had attempted some, each of them tries once more by
itself, since the trouble may be of one alone. Else all that are not done are told why.
"""


class StopMark:
    """Ends the thread that takes it out of the queue; the last mark ends one after another."""

    def __init__(self, is_last: bool = False) -> None:
        self.is_last = is_last
        self.ended = Lock()
        self.ended.acquire()


QueueItem = QueuedWork[Any] | StopMark


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a queue's threads hold. The queue itself is not in it, so that it can be collected."""

    commit: Commit
    close: Callable[[], None]
    batch_max: int
    turn: AbstractContextManager[object]
    """Held by who commits or closes. With several threads, which each have a connection of their
    own, it holds up nobody."""
    items: SimpleQueue[QueueItem] = field(default_factory=SimpleQueue)
    waker: ThreadWaker = field(default_factory=make_waker)
    """Where a thread sleeps that finds no item."""
    seats: SimpleQueue[None] = field(default_factory=SimpleQueue)
    """One for each thread that may still begin. Who finds none ends at once."""
    batches: dict[int, list[QueuedWork[Any]]] = field(default_factory=dict)
    """What each thread is working at."""
    idle_wakers: list[ThreadWaker] = field(default_factory=list)
    """For those who wait. One that was interrupted is not used again: it may still be woken."""


class _ThreadState(threading.local):
    is_writing = False


thread_state = _ThreadState()
"""Of each thread, whether it is in a transaction: what is done in one must not ask a ledger."""


def start_thread(workplace: Workplace) -> None:
    """Starts a thread. One too many ends at once, so that nobody has to hold a lock here.

    Raises:
        LedgerUnavailable: the system allows no more threads.
    """
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


def commit_together(batch: Sequence[QueuedWork[Any]], commit: Commit) -> None:
    """Commits pieces of work, and tells each of them that failed why. It raises nothing."""
    try:
        commit(batch)
    except BaseException as error:  # noqa: BLE001 - each thread raises its own
        undone = [task for task in batch if not task.is_done]
        may_be_one_alone = len(undone) > 1 and any(task.is_attempted for task in undone)
        for task in undone:
            if may_be_one_alone:
                commit_together([task], commit)
            else:
                task.fail(error)


def _serve(workplace: Workplace, has_begun: Lock) -> None:
    """What a thread does: it works until it takes a stop mark."""
    thread_state.is_writing = True
    is_needed = _take_seat(workplace)
    has_begun.release()
    while is_needed:
        try:
            mark = _work_until_stopped(workplace)
        finally:
            with workplace.turn:
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


def _take_seat(workplace: Workplace) -> bool:
    try:
        workplace.seats.get_nowait()
    except Empty:
        return False
    return True


def _work_until_stopped(workplace: Workplace) -> StopMark:
    batch = workplace.batches[threading.get_ident()] = []
    mark = None
    try:
        while not mark:
            if workplace.items.empty():
                workplace.waker.sleep()
            # Taken in turn: what comes while another commits shares the next transaction.
            with workplace.turn:
                mark = _take_items(workplace.items, batch, workplace.batch_max)
                if batch:
                    if not workplace.items.empty():
                        workplace.waker.wake()  # another thread, for the rest
                    commit_together(batch, workplace.commit)
            _finish_all(batch)
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
    items: SimpleQueue[QueueItem], batch: list[QueuedWork[Any]], batch_max: int
) -> StopMark | None:
    """Adds to a batch what waits, as far as the next stop mark."""
    try:
        while len(batch) < batch_max and not items.empty():
            item = items.get_nowait()
            if isinstance(item, StopMark):
                return item
            batch.append(item)
    except Empty:  # another thread was quicker
        pass
    return None
