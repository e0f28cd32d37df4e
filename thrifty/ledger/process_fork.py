"""What happens when a process forks: no connection may be used on both sides.

SQLite's locks belong to a process: a child that inherited an open file would believe in locks
that it does not have, and a parent that closes last would take the log away under it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import RLock, get_ident
from typing import Protocol
from weakref import WeakSet

INTERRUPTS_MAX = 100
"""How many signals may come between before what they interrupt is left undone."""


class ForkAware(Protocol):
    """What has something open that a fork must not share.

    A signal handler may raise within both methods, which are called again then.
    """

    def before_fork(self) -> None:
        """Brings it into a state from which both processes can go on, and locks it there."""

    def after_fork(self, in_child: bool) -> None:
        """Unlocks it, in the parent and in the child. The child has no other threads."""


_fork_aware: WeakSet[ForkAware] = WeakSet()
_fork_lock = RLock()
"""Lets one thread fork at a time, and also a handler of a signal that interrupts it."""
_forking_thread = 0


def register_fork_aware(member: ForkAware) -> None:
    """Calls its two methods at every fork for as long as it lives."""
    _fork_aware.add(member)


def is_forking() -> bool:
    """Whether this thread is about to fork, and has locked what it would now wait for."""
    return _forking_thread == get_ident()


def release_wholly(lock: RLock) -> None:
    """Releases a lock as often as this thread has acquired it, be it never."""
    with suppress(RuntimeError):
        while True:
            lock.release()


def _prepare_to_fork() -> None:
    global _forking_thread
    _fork_lock.acquire()
    _forking_thread = get_ident()
    # A copy, since the collector may take a member out meanwhile.
    for each in list(_fork_aware):
        each.before_fork()


def _go_on(in_child: bool) -> None:
    global _fork_lock, _forking_thread
    for each in list(_fork_aware):
        each.after_fork(in_child)
    _forking_thread = 0
    if in_child:
        _fork_lock = RLock()
    else:
        release_wholly(_fork_lock)


def _finish_in_spite_of_signals(act: Callable[[], None]) -> None:
    """Does something anew for as long as signal handlers raise within it.

    Python forks whatever is raised before, and only shows it: nothing must be left out.
    """
    for _ in range(INTERRUPTS_MAX):
        try:
            act()
            return
        except BaseException as error:  # noqa: BLE001 - a Ctrl-C, too
            interrupt = error
    raise interrupt


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(
        before=partial(_finish_in_spite_of_signals, _prepare_to_fork),
        after_in_parent=partial(_finish_in_spite_of_signals, partial(_go_on, False)),
        after_in_child=partial(_finish_in_spite_of_signals, partial(_go_on, True)),
    )
