"""One long-lived event loop in a thread of its own, on which every model call runs.

An async client that is reused on another loop fails after the server has billed, and a
`timeout` of the client is per read. Here the loop never changes, and a call is cut at its
deadline whatever the connection is doing: whoever waits is told at once, and the call is
cancelled until it really ends, as a client may swallow a cancellation (one in about ten did,
on an endless stream).

Whoever waits, in a thread or in an event loop of their own, may leave at any time. Then an event
is set for the task, which has a moment to settle its call before they go.

What waits for a disk is done in threads beside the loop, for each ledger in its own: a ledger that
is locked holds up nobody who is booked in another.

A process that ends abandons what is under way, so that it is settled or charged. One that forks
has a loop for itself: no thread, and so no loop, comes along.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from functools import cache
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, TypeVar
from weakref import WeakSet

from thrifty.budget.clock import ACTIVE_CLOCK, NANO_PER_S, now_ns
from thrifty.ledger.active_runs import CURRENT_DRIVER
from thrifty.ledger.process_exit import CALLS, CONNECTIONS, register_exit_aware, stop_if_ending
from thrifty.models.wire.worker_threads import WorkerThreads

T = TypeVar("T")

LEDGER_THREADS = 8
"""For each ledger."""
PARSER_THREADS = 16
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
_loops: WeakSet["BackgroundLoop"] = WeakSet()


class CallAbandoned(Exception):
    """Whoever waited for a call has left."""


class _Waiter(NamedTuple):
    """Who waits for a task."""

    driver: str
    """The invocation of an agent in which they do; empty outside."""
    abandoned: asyncio.Event
    """Is set when nobody does any more."""


class _Closing:
    """The end of a loop, after that of its calls."""

    def __init__(self, close: Callable[[], None]) -> None:
        self.end_process = close


class BackgroundLoop:
    """An event loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self._loop = _Loop()
        self._ending: set[asyncio.Task[None]] = set()
        self._under_way: dict[Future[Any], _Waiter] = {}
        self._to_close: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._ledger_threads: dict[frozenset[int], WorkerThreads] = {}
        self._is_process_ending = False
        self._abandoned_drivers: set[str] = set()
        self._pid = os.getpid()
        self._thread = Thread(target=self._run_forever, name="thrifty-models", daemon=True)
        self._thread.start()
        self._closing = _Closing(self._close)
        _loops.add(self)
        register_exit_aware(self, CALLS)
        register_exit_aware(self._closing, CONNECTIONS)

    def close_at_exit(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Closes something, such as connections, on the loop when the process ends."""
        self._to_close.append(close)

    def run(self, task: LoopTask[T]) -> T:
        """Runs a task and waits for it in this thread, which a Ctrl-C may end."""
        future, abandoned = self._start(task)
        try:
            return future.result()
        finally:
            stop_if_ending()
            self._leave(future, abandoned)

    async def arun(self, task: LoopTask[T]) -> T:
        """Runs a task and waits for it in this event loop, which may cancel."""
        future, abandoned = self._start(task)
        ending = asyncio.wrap_future(future)
        ending.add_done_callback(_retrieve_exception)  # a shield that is cancelled no longer looks
        try:
            return await asyncio.shield(ending)
        finally:
            stop_if_ending()
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
            stop_if_ending()
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
            stop_if_ending()
            # Not waited for: where a loop is closing, a generator must not hold it up.
            self._abandon(future, abandoned)

    async def in_thread(
        self, ledgers: Iterable[object], act: Callable[..., T], *arguments: Any
    ) -> T:
        """Within a task: does what may wait for a disk in a thread beside the loop.

        It is done to its end, even if nobody waits any more.

        Args:
            ledgers: which ledgers the act asks: it waits for no act that asks others.
            act: what is done.
            *arguments: what it is called with.
        """
        loop, threads = asyncio.get_running_loop(), self._threads_for(ledgers)
        return await asyncio.shield(loop.run_in_executor(threads, act, *arguments))

    async def await_call(
        self, call: Coroutine[Any, Any, T], due_ns: int | None, abandoned: asyncio.Event
    ) -> T:
        """Within a task: awaits a call to its end or its deadline, or until nobody waits.

        Args:
            call: what is awaited.
            due_ns: the deadline, on the clock of `budget.clock`; None without.
            abandoned: what the task was handed.

        Raises:
            TimeoutError: the deadline passed first; the call is being cancelled.
            CallAbandoned: nobody waits any more; the call is being cancelled.
        """
        task, left = asyncio.ensure_future(call), asyncio.ensure_future(abandoned.wait())
        try:
            with ACTIVE_CLOCK.watch():
                await _wait_until(due_ns, task, left)
        finally:
            left.cancel()  # it would wait for ever
            if not task.done():
                ending = asyncio.ensure_future(_end(task))
                self._ending.add(ending)  # the loop itself keeps only weak references
                ending.add_done_callback(self._ending.discard)
        if task.done():
            return task.result()
        raise CallAbandoned("nobody waited for it any more") if abandoned.is_set() else TimeoutError

    def abandon_all(self) -> None:
        """Tells every task that nobody waits any more. Whoever does wait learns how it ended."""
        for future, waiter in tuple(self._under_way.items()):
            self._abandon(future, waiter.abandoned)

    def abandon(self, driver: str) -> None:
        """Tells the tasks of one invocation of an agent that nobody waits for them any more.

        It begins no other.
        """
        self._abandoned_drivers.add(driver)
        for future, waiter in tuple(self._under_way.items()):
            if waiter.driver == driver:
                self._abandon(future, waiter.abandoned)

    def end_process(self) -> None:
        """Lets all tasks settle their calls, as nobody waits any more, and begins no other."""
        if os.getpid() != self._pid:
            return  # a fork's copy, which nothing runs
        self._is_process_ending = True
        self.abandon_all()
        wait(tuple(self._under_way), CLOSING_S)

    def _run_forever(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _close(self) -> None:
        if os.getpid() != self._pid:
            return

        async def close_all() -> None:
            await asyncio.gather(*(close() for close in self._to_close), return_exceptions=True)
            # What is still being cut is not told of any more.
            self._loop.set_exception_handler(lambda *_: None)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(close_all(), self._loop)
        self._thread.join(CLOSING_S)  # no longer: a connection may hang

    def _threads_for(self, ledgers: Iterable[object]) -> WorkerThreads:
        named = frozenset(map(id, ledgers))
        if (threads := self._ledger_threads.get(named)) is None:
            for other, idle in tuple(self._ledger_threads.items()):
                if not idle.is_in_use:
                    del self._ledger_threads[other]
            threads = self._ledger_threads[named] = WorkerThreads("thrifty-ledger", LEDGER_THREADS)
        return threads

    def _start(self, task: LoopTask[T]) -> tuple[Future[T], asyncio.Event]:
        stop_if_ending()
        driver = CURRENT_DRIVER.get()
        if self._is_process_ending or driver in self._abandoned_drivers:
            raise CallAbandoned("the process is about to end")
        abandoned = asyncio.Event()
        future = asyncio.run_coroutine_threadsafe(task(abandoned), self._loop)
        self._under_way[future] = _Waiter(driver, abandoned)
        future.add_done_callback(lambda done: self._under_way.pop(done, None))
        # Whoever ended its invocation meanwhile may have seen no task of it yet.
        if self._is_process_ending or driver in self._abandoned_drivers:
            self._abandon(future, abandoned)
        return future, abandoned

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


async def _wait_until(due_ns: int | None, *tasks: asyncio.Future[Any]) -> None:
    """Waits until one of the tasks has ended, or until a deadline."""
    while True:
        timeout = None if due_ns is None else max(0, due_ns - now_ns()) / NANO_PER_S
        done, _ = await asyncio.wait(tasks, timeout=timeout, return_when="FIRST_COMPLETED")
        # A timer goes off as soon as a stopped process goes on, and then the call has time left.
        if done or (due_ns is not None and now_ns() >= due_ns):
            return


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancels a task until it has ended, and looks at how, so that nothing is logged."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)
    if not task.cancelled():
        task.exception()


class _Loop(asyncio.SelectorEventLoop):
    """Does in daemon threads what asyncio would do in a pool of its own.

    Such a pool takes nothing any more once the main thread has ended. It holds up the end of the
    process, and a resolver that does not answer would use it up: so each lookup has a thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parsers = WorkerThreads("thrifty-parser", PARSER_THREADS)

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        return super().run_in_executor(executor or self._parsers, func, *args)

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


def abandon_calls(driver: str) -> None:
    """Ends the calls of one invocation of an agent, as the process is about to end."""
    for loop in tuple(_loops):
        loop.abandon(driver)


@cache
def _loop_of(pid: int) -> BackgroundLoop:
    """A fork keeps its parent's: collecting it could close what the parent uses."""
    return BackgroundLoop()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(
        before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release
    )
