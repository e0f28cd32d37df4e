"""What commands share: Ctrl-C works while a run waits for an answer.

Steps side by side run in threads that Python joins before it lets an interrupt through; with a
server that hangs, that is for ever. So the run is read in a thread of its own, and the first
Ctrl-C only asks it to stop: an answer that is nearly there is paid for anyway.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.1
"""On Windows a wait without an end cannot be interrupted."""


def iterate_in_thread(source: Iterable[T]) -> Iterator[T]:
    """The same members, in the same order, and the same exception."""
    members: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()

    def read() -> None:
        try:
            for member in source:
                members.put((member,))  # in a tuple, as a member may be None
            members.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the other thread
            members.put(error)

    threading.Thread(target=read, name="thrifty-run", daemon=True).start()
    while True:
        try:
            member = members.get(timeout=POLL_S)
        except Empty:  # now a Ctrl-C gets through
            continue
        if member is None:
            return
        if isinstance(member, BaseException):
            raise member
        yield member[0]


@contextmanager
def on_first_ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """Lets the first Ctrl-C ask to stop; the second one interrupts."""

    def handle(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def exit_now(code: int) -> None:
    """Ends the process, where a thread that still waits for an answer would keep it."""
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    if any(thread.name == "thrifty-run" or not thread.daemon for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # Python would first join the threads, for ever
