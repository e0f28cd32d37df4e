"""Disks that a ledger cannot write for a while: locked by others, full, or read-only."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from thrifty import SqliteLedger


class Disk:
    """A ledger's file, and what is in its way."""

    def __init__(self, path: Path, fail: Callable[["Disk"], Callable[[], object]]) -> None:
        self.ledger = SqliteLedger(path, busy_ms=20)
        self.ledger.disconnect()
        self.path, self._fail = path, fail
        self._mend: Callable[[], object] = lambda: None

    def fail(self) -> None:
        self._mend = self._fail(self)

    def recover(self) -> None:
        self._mend()

    @contextmanager
    def failing(self) -> Iterator[None]:
        self.fail()
        try:
            yield
        finally:
            self.recover()


def locked(disk: Disk) -> Callable[[], object]:
    """Another process writes, and does not come to an end."""
    other = sqlite3.connect(disk.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def full(_: Disk) -> Callable[[], object]:
    """The system lets this process write no file: what it writes on a full disk fails so too."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def read_only(disk: Disk) -> Callable[[], object]:
    """Not by its permissions, which do not bind a superuser, who may well run the tests."""
    disk.ledger._sqlite_storage.read(lambda _: None)
    connection = disk.ledger._sqlite_storage._file._connection
    assert connection is not None
    connection.execute("PRAGMA query_only = ON")
    return lambda: connection.execute("PRAGMA query_only = OFF")


DISKS = {"locked": locked, "full": full, "read-only": read_only}
