"""One long-lived event loop in a thread of its own, on which every model call runs.

An async client that is reused on another loop fails after the server has billed, and a
`timeout` of the client is per read; here both are out of the way: the loop never changes, and
`asyncio.timeout` cuts a call at its deadline whatever the connection is doing.
"""

import asyncio
from collections.abc import Coroutine
from functools import cache
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """An event loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, name="thrifty-models", daemon=True).start()

    def run(self, call: Coroutine[Any, Any, T], deadline_ms: int | None) -> T:
        """Runs a call to its end, or to its deadline.

        Raises:
            TimeoutError: the deadline passed first; the call is cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(_bounded(call, deadline_ms), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C in the waiting thread must not leave a call running
            raise


async def _bounded(call: Coroutine[Any, Any, T], deadline_ms: int | None) -> T:
    async with asyncio.timeout(None if deadline_ms is None else deadline_ms / 1000):
        return await call


@cache
def background_loop() -> BackgroundLoop:
    """The loop of this process."""
    return BackgroundLoop()
