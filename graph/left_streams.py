"""Streams that a program leaves open as it ends: they are closed while everything still works.

Python keeps what nobody has read to the end until it takes the interpreter apart. Before that it
waits for the threads in which LangGraph runs nodes, and so for a model that may never answer. So
as the main thread ends, the streams that it had read are closed, and their calls settled.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Generator
from concurrent.futures import thread as pool_threads
from typing import Any
from weakref import WeakValueDictionary

from thrifty.ledger.active_runs import ActiveRuns
from thrifty.models.wire.background_loop import abandon_calls

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.05
LOOP_ENDS = ("_asyncgens_shutdown_called", "_executor_shutdown_called")
"""How asyncio's event loops say that they are about to end. Others do not."""

_streams: WeakValueDictionary[str, Generator[Any]] = WeakValueDictionary()
"""The streams that are open, by the names of their invocations."""
_readers: dict[str, threading.Thread] = {}
"""Who has read the last part of each."""


def note_stream(driver: str, stream: Generator[Any]) -> None:
    """Notes that a stream is there."""
    _streams[driver] = stream


def note_advance(driver: str) -> None:
    """Notes that this thread reads the next part of a stream."""
    _readers[driver] = threading.current_thread()


def note_end(driver: str) -> None:
    """Forgets a stream that has ended."""
    _streams.pop(driver, None)
    _readers.pop(driver, None)


def close_left_streams() -> None:
    """Closes the streams that nobody reads any more, now that the main thread has ended."""
    for driver, stream in list(_streams.items()):
        reader = _readers.get(driver)
        if reader is None:  # it was never begun
            continue
        if reader is threading.main_thread() or not reader.is_alive():
            abandon_calls(driver)
            _close_quietly(stream)
        elif reader.daemon and not _other_threads():
            # It is going to be stopped. The nodes that it has running in other threads are not.
            abandon_calls(driver)


def is_loop_ending() -> bool:
    """Whether the event loop that runs here closes all that is open on it."""
    loop = asyncio.get_running_loop()
    return any(getattr(loop, name, False) for name in LOOP_ENDS)


def abandon_with_loop(driver: str, runs: ActiveRuns) -> None:
    """Ends the calls of an asynchronous invocation that is over, if its event loop ends as well.

    Else its nodes go on in their threads, so that an answer that is paid for is kept. A loop that
    ends waits for those threads.
    """
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not runs.is_running(driver):
            return
        if is_loop_ending():
            abandon_calls(driver)
        else:
            loop.call_later(LOOK_EVERY_S, look)

    look()


def _close_quietly(stream: Generator[Any]) -> None:
    try:
        stream.close()
    except Exception as error:  # noqa: BLE001 - nobody is left to be told
        logger.debug("a stream that was left open could not be closed: %s", error)


def _other_threads() -> list[threading.Thread]:
    """The threads for whose end Python waits, but for those that only work for others."""
    pooled = getattr(pool_threads, "_threads_queues", {})
    return [
        thread
        for thread in threading.enumerate()
        if not (thread.daemon or thread is threading.main_thread() or thread in pooled)
    ]


def _forget_all() -> None:
    _streams.clear()
    _readers.clear()


# Python's own, for its pools: `atexit` comes after it has waited for those. Pools are imported
# above, since what is registered last is called first.
if register := getattr(threading, "_register_atexit", None):
    register(close_left_streams)
if hasattr(os, "register_at_fork"):  # a fork's copies are its parent's
    os.register_at_fork(after_in_child=_forget_all)
