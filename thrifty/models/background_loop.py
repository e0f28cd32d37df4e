"""One long-lived event loop in a thread of its own, on which every model call runs.

An async client that is reused on another loop fails after the server has billed, and a
`timeout` of the client is per read. Here the loop never changes, and a call is cut at its
deadline whatever the connection is doing: whoever waits is told at once, and the call is
cancelled until it really ends, as a client may swallow a cancellation (one in about ten did,
on an endless stream).

Whoever waits, in a thread or in an event loop of their own, may leave at any time. Then an event
is set for the task, which has a moment to settle its call before they go.

A process that forks has one for itself: no thread, and so no loop, comes along.
"""

import asyncio
import atexit
import os
import socket
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from thrifty.budget.clock import NANO_PER_S

T = TypeVar("T")

LEDGER_THREADS = 8
CANCEL_AGAIN_S = 0.05
CLOSING_S = 1.0
"""How long whoever leaves waits until the call is settled, and how long a process waits to end."""

LoopTask = Callable[[asyncio.Event], Coroutine[Any, Any, T]]
"""What to do on the loop; it is handed an event that is set when nobody waits any more."""

Emit = Callable[[Any], None]
"""Takes a piece of an answer, such as one of LangChain's chunks."""
StreamedTask = Callable[[asyncio.Event, Emit], Coroutine[Any, Any, Any]]
"""A task that hands over pieces as they come."""

END: Any = object()
_making = Lock()


class CallAbandoned(Exception):
    """Whoever waited for a call has left."""


class BackgroundLoop:
    """An event loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self._loop = _Loop()
        self._ending: set[asyncio.Task[None]] = set()
        self._under_way: dict[Future[Any], asyncio.Event] = {}
        self._to_close: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._ledger_threads = ThreadPoolExecutor(LEDGER_THREADS, "thrifty-ledger")
        self._pid = os.getpid()
        self._thread = Thread(target=self._run_forever, name="thrifty-models", daemon=True)
        self._thread.start()
        atexit.register(self._close)

    def close_at_exit(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Closes something, such as connections, on the loop when the process ends."""
        self._to_close.append(close)

    def run(self, task: LoopTask[T]) -> T:
        """Runs a task and waits for it in this thread, which a Ctrl-C may end."""
        future, abandoned = self._start(task)
        try:
            return future.result()
        finally:
            self._leave(future, abandoned)

    async def arun(self, task: LoopTask[T]) -> T:
        """Runs a task and waits for it in this event loop, which may cancel."""
        future, abandoned = self._start(task)
        ending = asyncio.wrap_future(future)
        ending.add_done_callback(_retrieve_exception)  # a shield that is cancelled no longer looks
        try:
            return await asyncio.shield(ending)
        finally:
            if self._abandon(future, abandoned):
                await asyncio.wait({ending}, timeout=CLOSING_S)

    def stream(self, task: StreamedTask) -> Iterator[Any]:
        """Runs a task and yields its pieces in this thread."""
        pieces: SimpleQueue[Any] = SimpleQueue()
        future, abandoned = self._start(lambda left: task(left, pieces.put))
        future.add_done_callback(lambda _: pieces.put(END))
        try:
            while (piece := pieces.get()) is not END:
                yield piece
            future.result()
        finally:
            self._leave(future, abandoned)

    async def astream(self, task: StreamedTask) -> AsyncGenerator[Any]:
        """Runs a task and yields its pieces in this event loop."""
        here, pieces = asyncio.get_running_loop(), asyncio.Queue[Any]()

        def emit(piece: Any) -> None:
            with suppress(RuntimeError):  # that loop was closed
                here.call_soon_threadsafe(pieces.put_nowait, piece)

        future, abandoned = self._start(lambda left: task(left, emit))
        future.add_done_callback(lambda _: emit(END))
        try:
            while (piece := await pieces.get()) is not END:
                yield piece
            future.result()
        finally:
            # Not waited for: where a loop is closing, a generator must not hold it up.
            self._abandon(future, abandoned)

    async def in_thread(self, act: Callable[..., T], *arguments: Any) -> T:
        """Within a task: does what may wait for a disk in a thread beside the loop.

        It is done to its end, even if nobody waits any more.
        """
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._ledger_threads, act, *arguments))

    async def await_call(
        self, call: Coroutine[Any, Any, T], due_ns: int | None, abandoned: asyncio.Event
    ) -> T:
        """Within a task: awaits a call to its end or its deadline, or until nobody waits.

        Args:
            call: what is awaited.
            due_ns: the deadline, on the clock of `time.monotonic_ns`; None without.
            abandoned: what the task was handed.

        Raises:
            TimeoutError: the deadline passed first; the call is being cancelled.
            CallAbandoned: nobody waits any more; the call is being cancelled.
        """
        task, left = asyncio.ensure_future(call), asyncio.ensure_future(abandoned.wait())
        timeout = None if due_ns is None else max(0, due_ns - time.monotonic_ns()) / NANO_PER_S
        try:
            await asyncio.wait({task, left}, timeout=timeout, return_when="FIRST_COMPLETED")
        finally:
            left.cancel()  # it would wait for ever
            if not task.done():
                ending = asyncio.ensure_future(_end(task))
                self._ending.add(ending)  # the loop itself keeps only weak references
                ending.add_done_callback(self._ending.discard)
        if task.done():
            return task.result()
        raise CallAbandoned("nobody waited for it any more") if abandoned.is_set() else TimeoutError

    def _run_forever(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _close(self) -> None:
        if os.getpid() != self._pid:
            return  # a fork's copy, which nothing runs

        async def close_all() -> None:
            await asyncio.gather(*(close() for close in self._to_close), return_exceptions=True)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(close_all(), self._loop)
        self._thread.join(CLOSING_S)  # no longer: a connection may hang

    def _start(self, task: LoopTask[T]) -> tuple[Future[T], asyncio.Event]:
        abandoned = asyncio.Event()
        future = asyncio.run_coroutine_threadsafe(task(abandoned), self._loop)
        self._under_way[future] = abandoned
        future.add_done_callback(lambda done: self._under_way.pop(done, None))
        return future, abandoned

    def abandon_all(self) -> None:
        """Tells every task that nobody waits any more. Whoever does wait learns how it ended."""
        for future, abandoned in tuple(self._under_way.items()):  # a copy, as those that end go
            self._abandon(future, abandoned)

    def _abandon(self, future: Future[Any], abandoned: asyncio.Event) -> bool:
        """Tells a task that nobody waits any more; False where it has ended."""
        if not future.done():
            self._loop.call_soon_threadsafe(abandoned.set)
        return not future.done()

    def _leave(self, future: Future[Any], abandoned: asyncio.Event) -> None:
        if self._abandon(future, abandoned):
            wait([future], CLOSING_S)


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Takes note of how it ended, so that nothing is logged."""
    if not future.cancelled():
        future.exception()


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancels a task until it has ended, and looks at how, so that nothing is logged."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)
    if not task.cancelled():
        task.exception()


class _Loop(asyncio.SelectorEventLoop):
    """Looks up names in daemon threads, one each.

    No lookup can be cancelled. In asyncio's own pool a resolver that does not answer would use
    up the threads and hold up the end of the process.
    """

    async def getaddrinfo(self, host: Any, port: Any, **hints: Any) -> Any:
        addresses: asyncio.Future[Any] = self.create_future()

        def hand_over(answer: Any, error: Exception | None) -> None:
            if addresses.done():
                return
            addresses.set_exception(error) if error else addresses.set_result(answer)

        def look_up() -> None:
            try:
                answer, error = socket.getaddrinfo(host, port, **hints), None
            except OSError as failure:
                answer, error = [], failure
            with suppress(RuntimeError):  # the loop was closed
                self.call_soon_threadsafe(hand_over, answer, error)

        Thread(target=look_up, name="thrifty-lookup", daemon=True).start()
        return await addresses


def background_loop() -> BackgroundLoop:
    """The loop of this process: one, also for threads that ask for the first time at once."""
    with _making:  # without, such threads would make a loop each
        return _loop_of(os.getpid())


@cache
def _loop_of(pid: int) -> BackgroundLoop:
    """A fork keeps its parent's: collecting it could close what the parent uses."""
    return BackgroundLoop()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(
        before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release
    )
