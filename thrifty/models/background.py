"""One long-lived event loop in a thread of its own, on which every model call runs.

An async client that is reused on another loop fails after the server has billed, and a
`timeout` of the client is per read. Here the loop never changes, and a call is cut at its
deadline whatever the connection is doing: whoever waits is told at once, and the call is
cancelled until it really ends, as a client may swallow a cancellation (one in about ten did,
on an endless stream).
"""

import asyncio
from collections.abc import Coroutine
from functools import cache
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

CANCEL_AGAIN_S = 0.05


class BackgroundLoop:
    """An event loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ending: set[asyncio.Task[None]] = set()
        Thread(target=self._loop.run_forever, name="thrifty-models", daemon=True).start()

    def run(self, call: Coroutine[Any, Any, T], deadline_ms: int | None) -> T:
        """Runs a call to its end, or to its deadline.

        Raises:
            TimeoutError: the deadline passed first; the call is being cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(self._bounded(call, deadline_ms), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C in the waiting thread must not leave a call running
            raise

    async def _bounded(self, call: Coroutine[Any, Any, T], deadline_ms: int | None) -> T:
        task = asyncio.ensure_future(call)
        try:
            await asyncio.wait({task}, timeout=None if deadline_ms is None else deadline_ms / 1000)
        finally:
            if not task.done():
                ending = asyncio.ensure_future(_end(task))
                self._ending.add(ending)  # the loop itself keeps only weak references
                ending.add_done_callback(self._ending.discard)
        if not task.done():
            raise TimeoutError
        return task.result()


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancels a task until it has ended, and looks at how, so that nothing is logged."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)
    if not task.cancelled():
        task.exception()


@cache
def background_loop() -> BackgroundLoop:
    """The loop of this process."""
    return BackgroundLoop()
