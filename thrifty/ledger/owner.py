"""Who holds a run, told so that a person can find it and a machine can tell whether it is gone.

Only what is certain counts as gone: the same kernel and process namespace as ours, and no such
process in it any more. Of everything else (another machine, a restart, another container)
nobody here can know, and a person has to say that it is gone.
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
from thrifty.ledger.protocol import Lease, Ledger

OWNER = re.compile(r"pid (?P<pid>\d+) on .* \[(?P<home>[^ ]+) (?P<started>\d+)\](?: #\d+)?")
STATE, STARTED = 0, 19
"""Places in `/proc/<pid>/stat`, counted from behind the name of the program (proc(5))."""

_NUMBERS = count(1)


def this_process() -> str:
    """A name for this process that no other process on any machine has."""
    return _name_of(os.getpid())


@cache
def _name_of(pid: int) -> str:
    stat = _stat(pid)
    started = stat[STARTED] if stat else "0"
    return f"pid {pid} on {socket.gethostname()} [{_home()} {started}]"


def new_owner() -> str:
    """A name for one more owner in this process, who is gone when the process is."""
    return f"{this_process()} #{next(_NUMBERS)}"


def is_gone(owner: str) -> bool:
    """Whether a process of that name certainly does not run any more."""
    told = OWNER.fullmatch(owner)
    # On Windows there is no harmless way to ask for a process by its number.
    if told is None or told["home"] != _home() or os.name == "nt":
        return False
    try:
        os.kill(int(told["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is there, and somebody else's
    stat = _stat(int(told["pid"]))
    # Its number may be another's by now, or that of a process that was killed and not buried.
    return stat is not None and (stat[STARTED] != told["started"] or stat[STATE] in "ZX")


def hold(ledger: Ledger, account: str, owner: str, run: str | None = None) -> Lease:
    """Takes a run, or takes it over where its owner is certainly gone.

    Raises:
        LeaseLost: somebody holds it who may still be there.
    """
    try:
        return ledger.take(account, owner, run=run)
    except LeaseLost as lost:
        if not is_gone(lost.holder):
            raise
        return ledger.take(account, owner, over=lost.fence, run=run)


def _home() -> str:
    """Where a process number means something: this boot of this kernel, in this namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return f"{uuid.getnode():x}"
    return f"{boot}/{namespace}"


def _stat(pid: int) -> list[str] | None:
    """What the kernel tells of a process; None where it does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return None
