"""What a process does as it ends: its calls are closed, its leases returned, its ledgers written.

Python joins threads that are not daemons, then calls what was registered with `atexit`, and only
then takes the interpreter apart. So all this happens in between: who still works in a thread of
their own has ended by then, and event loops, daemon threads and connections are still there.

It is done in a thread that nobody waits for longer than `EXIT_S`: a ledger that is locked does
not hold up the end of a program, and what stays open in it is closed by the next process.
"""

import atexit
import logging
from threading import Event, Lock, Thread, current_thread
from typing import Protocol
from weakref import WeakSet

logger = logging.getLogger(__name__)

THREAD_NAME = "thrifty-exit"
OWN_THREADS = (THREAD_NAME, "thrifty-ledger", "thrifty-models", "thrifty-parser")
"""Those in which calls are still settled."""
EXIT_S = 1.8
"""How long the end of a process waits for all of it: with the interpreter's own, two seconds."""


_ending = Event()


class ExitAware(Protocol):
    """What has something to do before its process ends."""

    def end_process(self) -> None:
        """Does it, in a process that is about to end. It may raise: nobody is told but the log."""


_STAGES: tuple[WeakSet[ExitAware], ...] = (WeakSet(), WeakSet(), WeakSet(), WeakSet())
CALLS, LEASES, LEDGERS, CONNECTIONS = _STAGES
"""Who registers where, in the order in which they end: calls that are under way, leases of runs,
ledgers, and last what they were sent over."""


_known_types: set[type] = set()


def register_exit_aware(member: ExitAware, stage: "WeakSet[ExitAware]") -> None:
    """Has a member end with its process, for as long as it lives.

    Args:
        member: whose `end_process` is called.
        stage: `CALLS`, `LEASES`, `LEDGERS` or `CONNECTIONS`.
    """
    stage.add(member)
    if type(member) not in _known_types:
        _known_types.add(type(member))
        # What is registered last is called first: before that in which a member's module closes
        # files and ends threads, which a member still needs.
        atexit.register(_end_process)


def stop_if_ending() -> None:
    """Stops a daemon thread of a process that is about to end, as Python itself is going to do.

    What it would go on with could not be done any more, and would only be told on the screen.
    """
    if not _ending.is_set():
        return
    thread = current_thread()
    if thread.daemon and not thread.name.startswith(OWN_THREADS):
        Event().wait()


def _end_process() -> None:
    if _ending.is_set():  # it is registered more than once
        return
    _ending.set()
    ended = Lock()
    ended.acquire()

    def end_all() -> None:
        for stage in _STAGES:
            for member in list(stage):
                _end_quietly(member)
        ended.release()

    try:
        Thread(target=end_all, name=THREAD_NAME, daemon=True).start()
    except RuntimeError:  # Python 3.12 starts none any more
        end_all()
        return
    ended.acquire(timeout=EXIT_S)


def _end_quietly(member: ExitAware) -> None:
    try:
        member.end_process()
    except Exception as error:  # noqa: BLE001 - nobody is left to be told, and others wait
        logger.debug("a process ended before it could close all it had open: %s", error)
