"""Threads that do pieces of work beside an event loop, and never hold up the end of a process.

Those of `concurrent.futures` take no work any more once the main thread has ended, while calls of
other threads still have to be settled, and a process that ends waits for them.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

IDLE_S = 5.0
"""How long a thread waits for more work before it ends."""


class _Task(NamedTuple):
    future: Future[Any]
    act: Callable[[], Any]

    def do(self) -> None:
        try:
            result = self.act()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for it
            with suppress(InvalidStateError):
                self.future.set_exception(error)
        else:
            # Whoever waited may have left meanwhile. The thread has other work to do.
            with suppress(InvalidStateError):
                self.future.set_result(result)


class WorkerThreads(Executor):
    """Daemon threads, as many as there is work for, up to a number."""

    def __init__(self, name: str, threads_max: int) -> None:
        self._name, self._threads_max = name, threads_max
        self._tasks: SimpleQueue[_Task] = SimpleQueue()
        self._lock = Lock()
        self._threads = self._idle = self._waiting = 0

    @property
    def is_in_use(self) -> bool:
        """Whether there are threads now."""
        return self._threads > 0

    def submit(self, act: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Has a thread do an act, and returns its result to be."""
        task = _Task(Future(), partial(act, *args, **kwargs))
        with self._lock:
            self._waiting += 1
            if self._waiting > self._idle and self._threads < self._threads_max:
                self._add_thread()
            can_wait = self._threads > 0
            if can_wait:
                self._tasks.put(task)
            else:
                self._waiting -= 1
        if not can_wait:
            task.do()
        return task.future

    def _add_thread(self) -> None:
        try:
            Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:  # the interpreter is about to end: those there are do the rest
            return
        self._threads += 1
        self._idle += 1

    def _work(self) -> None:
        while True:
            try:
                task = self._tasks.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if not self._tasks.empty():
                        continue
                    self._threads -= 1
                    self._idle -= 1
                    return
            with self._lock:
                self._idle -= 1
                self._waiting -= 1
            task.do()
            del task  # else it keeps what it was about for as long as the thread waits
            with self._lock:
                self._idle += 1
