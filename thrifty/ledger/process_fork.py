"""What happens when a process forks: no connection may be used on both sides.

SQLite's locks belong to a process: a child that inherited an open file would believe in locks
that it does not have, and a parent that closes last would take the log away under it.
"""

import os
from functools import partial
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """What has something open that a fork must not share."""

    def before_fork(self) -> None:
        """Brings it into a state from which both processes can go on, and locks it there."""

    def after_fork(self, in_child: bool) -> None:
        """Unlocks it, in the parent and in the child. The child has no other threads."""


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
