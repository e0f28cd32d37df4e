"""How a thread that sleeps is woken by another one, with as little delay as the system allows.

Python's locks wake a thread that then has to wait for the interpreter lock, which the waking
thread still holds. Who writes to a file descriptor has let that lock go meanwhile: there and back
takes 5 µs instead of 13 (on Linux, measured with Python 3.11).
"""

import os
from contextlib import suppress
from queue import SimpleQueue
from typing import Protocol


class ThreadWaker(Protocol):
    """What one thread sleeps at. A wake-up that comes first is kept until it sleeps."""

    def wake(self) -> None: ...

    def sleep(self) -> None:
        """Sleeps until it is woken, which may be for nothing. Signal handlers run meanwhile."""

    def part_from_parent(self) -> None:
        """In a forked process: the thread that sleeps here is no longer woken by the parent."""


class EventfdWaker:
    """Wakes by an `eventfd`, of which Linux has as many as there may be open files."""

    _descriptor = -1

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def wake(self) -> None:
        os.eventfd_write(self._descriptor, 1)

    def sleep(self) -> None:
        os.read(self._descriptor, 8)  # goes on after a signal, which `eventfd_read` does not

    def part_from_parent(self) -> None:
        own = os.eventfd(0)
        os.dup2(own, self._descriptor, inheritable=False)
        os.close(own)

    def __del__(self) -> None:
        # The number will name another file, to which nobody must write who still finds it here.
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class QueueWaker:
    """Wakes by a queue, which every system has."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        self._waiting.put(None)

    def sleep(self) -> None:
        self._waiting.get()

    def part_from_parent(self) -> None:
        """Each process has a queue of its own."""


def make_waker() -> ThreadWaker:
    """The quickest one that there is."""
    if hasattr(os, "eventfd"):
        with suppress(OSError):  # no more files may be opened
            return EventfdWaker(os.eventfd(0))
    return QueueWaker()
