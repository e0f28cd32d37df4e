"""A ledger in an SQLite file: any number of threads and processes of one machine.

Every change is on the disk when the call returns (`synchronous=FULL`): it survives a killed
process and, as far as the disk keeps its word, a power failure. With `NORMAL` a power failure
may take the last changes with it. A killed process loses nothing either way.
"""

import os
import sqlite3
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar, get_args

from thrifty.budget import InvalidInput, validate
from thrifty.ledger.base_ledger import BaseLedger, wall_clock_ms
from thrifty.ledger.commit_queue import CommitQueue
from thrifty.ledger.queued_work import WorkKind
from thrifty.ledger.sqlite_file import SqliteFile, Synchronous
from thrifty.ledger.storage import CallNames, Tables

T = TypeVar("T")

BUSY_MS = 30_000
"""How long to wait for other processes before giving up."""


class SqliteStorage:
    """A `Storage` with one connection a process, which one thread at a time works with.

    The queue and the file do not know of it, so that they close when nobody holds it any more.
    """

    def __init__(
        self, path: str | Path, synchronous: Synchronous, busy_ms: int, now_ms: Callable[[], int]
    ) -> None:
        validate.choice("synchronous", synchronous, get_args(Synchronous))
        validate.amount("busy_ms", busy_ms)
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        if not name or name.startswith(":"):
            raise InvalidInput("path", path, "name a file, or use a MemoryLedger")
        # The same file when it is opened again, wherever the process has gone meanwhile.
        self._path = str(Path(path).absolute())
        self._file = SqliteFile(self._path, synchronous, busy_ms, now_ms)
        self._queue = CommitQueue(self._file.commit, self._file.close, callers_commit=True)

    @property
    def identity(self) -> Hashable:
        return os.path.realpath(self._path)

    def write(self, work: Callable[[Tables], T], call: CallNames | None = None) -> T:
        return self._run(work, "write alone" if call is None else "write")

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        return self._run(work, "single read" if is_single else "read")

    def disconnect(self) -> None:
        """Closes the file. The next use opens it again."""
        self._queue.stop()

    def _run(self, work: Callable[[Tables], T], kind: WorkKind) -> T:
        try:
            return self._queue.run(work, kind)
        # What is damaged may be told in characters that are none.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._file.unavailable_error(error) from error


class SqliteLedger(BaseLedger):
    """A `Ledger` in a file.

    A signal handler may use it, and a Ctrl-C at any moment leaves it whole: what was asked for
    is done, or it is not. A file that is deleted or replaced while it is in use is noticed before
    anything more is written; `disconnect` makes it go on with the file that is there then.

    Args:
        path: the file, which is created where there is none. It must not lie on a network drive,
            whose locks do not hold what SQLite needs.
        synchronous: `FULL` survives a power failure, `NORMAL` a killed process.
        busy_ms: how long to wait for other processes.
        now_ms: the time, in milliseconds since 1970, by which windows begin and end.

    Raises:
        InvalidInput: the path names no file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Synchronous = "FULL",
        busy_ms: int = BUSY_MS,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self._sqlite_storage = SqliteStorage(path, synchronous, busy_ms, now_ms)
        super().__init__(self._sqlite_storage)

    def disconnect(self) -> None:
        """Closes the file. The next use opens it again."""
        self._sqlite_storage.disconnect()
