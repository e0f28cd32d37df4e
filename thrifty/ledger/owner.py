"""The name of a run's owner, by which a person finds the process and thrifty sees that it ended.

An owner counts as gone only where that is certain: its kernel and its process namespace are ours,
and they have no such process any more. thrifty cannot tell whether a process on another machine,
in another container or from before a restart has ended. A person decides that.
"""

import os
import re
import socket
import uuid
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path

from thrifty.budget import LeaseLost
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import Lease

OWNER_PATTERN = re.compile(r"pid (?P<pid>\d+) on .* \[(?P<home>[^ ]+) (?P<started>\d+)\](?: #\d+)?")
STATE_INDEX, STARTED_INDEX = 0, 19
"""Places in `/proc/<pid>/stat`, counted from behind the name of the program (proc(5))."""
STARTED_UNKNOWN = "0"
"""Of a process that could not read its own entry, as where it has too many files open."""

_OWNER_NUMBERS = count(1)
_living_owners: set[str] = set()
"""The owners of this process that have not ended."""


@cache
def process_name() -> str:
    """A name for this process that no other process on any machine has."""
    pid = os.getpid()
    stat = _process_stat(pid)
    started = stat[STARTED_INDEX] if stat else STARTED_UNKNOWN
    return f"pid {pid} on {socket.gethostname()} [{_process_scope()} {started}]"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process_name.cache_clear)


def new_owner_name() -> str:
    """A name for one more owner in this process, who is gone when it ends, or the process does."""
    owner = f"{process_name()} #{next(_OWNER_NUMBERS)}"
    _living_owners.add(owner)
    return owner


def end_owner(owner: str) -> None:
    """Says that an owner of this process has ended, whatever it may still hold.

    Who was interrupted just after it had taken a lease does not know that it has one.
    """
    _living_owners.discard(owner)


def is_owner_gone(owner: str) -> bool:
    """Whether an owner of that name certainly has ended, or its process does not run any more."""
    if owner == process_name():
        return False
    if owner.startswith(f"{process_name()} #"):
        return owner not in _living_owners
    match = OWNER_PATTERN.fullmatch(owner)
    # On Windows there is no harmless way to ask for a process by its number.
    if match is None or match["home"] != _process_scope() or os.name == "nt":
        return False
    try:
        os.kill(int(match["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is there, and somebody else's
    stat = _process_stat(int(match["pid"]))
    if stat is None:
        return False
    # It was killed and is still a zombie, or another process has its number by now.
    is_another = stat[STARTED_INDEX] != match["started"] != STARTED_UNKNOWN
    return is_another or stat[STATE_INDEX] in "ZX"


def take_or_take_over(ledger: Ledger, account: str, owner: str, run: str | None = None) -> Lease:
    """Takes a run, or takes it over where its owner is certainly gone.

    Raises:
        LeaseLost: somebody holds it who may still be there.
    """
    try:
        return ledger.take(account, owner, run=run)
    except LeaseLost as lost:
        if not is_owner_gone(lost.holder):
            raise
        return ledger.take(account, owner, over_fence=lost.fence, run=run)


def _process_scope() -> str:
    """Where a process number means something: this boot of this kernel, in this namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return f"{uuid.getnode():x}"
    return f"{boot}/{namespace}"


def _process_stat(pid: int) -> list[str] | None:
    """What the kernel says of a process, or None where it says nothing."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return None
