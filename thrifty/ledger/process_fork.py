"""What happens when a process forks: no connection may be used on both sides.

SQLite's locks belong to a process: a child that inherited an open file would believe in locks
that it does not have, and a parent that closes last would take the log away under it.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from typing import Protocol, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class ForkAware(Protocol):
    """What has something open that a fork must not share."""

    def before_fork(self) -> None:
        """Brings it into a state from which both processes can go on, and locks it there."""

    def after_fork(self, in_child: bool) -> None:
        """Unlocks it, in the parent and in the child. The child has no other threads."""


def cache_per_process(make: Callable[[], T]) -> Callable[[], T]:
    """Makes something anew in each process that asks for it, and there only once.

    A process that was forked cannot use its parent's. It keeps that all the same: to collect it
    could close what the parent still uses.
    """
    make_for = cache(lambda pid: make())
    return lambda: make_for(os.getpid())


_fork_aware: WeakSet[ForkAware] = WeakSet()


def register_fork_aware(member: ForkAware) -> None:
    """Calls its two methods at every fork for as long as it lives."""
    _fork_aware.add(member)


def _notify_before_fork() -> None:
    # A copy, since the collector may take a member out meanwhile.
    for each in list(_fork_aware):
        each.before_fork()


def _notify_after_fork(in_child: bool) -> None:
    for each in list(_fork_aware):
        each.after_fork(in_child)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(
        before=_notify_before_fork,
        after_in_parent=partial(_notify_after_fork, in_child=False),
        after_in_child=partial(_notify_after_fork, in_child=True),
    )
