"""A ledger in an SQLite file: any number of threads and processes of one machine.

Every change is on the disk when the call returns (`synchronous=FULL`): it survives a killed
process and, as far as the disk keeps its word, a power failure. With `NORMAL` a power failure
may take the last changes with it. A killed process loses nothing either way.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeVar, get_args

from thrifty.budget import InvalidInput, LedgerUnavailable, validate
from thrifty.ledger import process_fork
from thrifty.ledger.base_ledger import BaseLedger, wall_clock_ms
from thrifty.ledger.group_commit import GroupCommit, QueuedWork
from thrifty.ledger.schema import SQLITE
from thrifty.ledger.sql import SqlTables, migrate
from thrifty.ledger.storage import CallNames, Tables

T = TypeVar("T")
Synchronous = Literal["FULL", "NORMAL"]

BUSY_MS = 30_000
"""How long to wait for other processes before giving up."""
LOG_PAUSE_S = 0.005
"""Between two attempts to turn the log of a new file on."""
COMMITS_PER_CHECKPOINT = 400
"""The log grows to a megabyte or two, and is then used again from its start: to write what is
there already takes half the time of growing a file."""
PAGE_BYTES = 1024
"""A commit writes each page that it touches whole, and an entry fills a part of one: a pair of
acts takes a fifth less than with SQLite's own 4,096."""
SQLITE_MIN = (3, 37)
"""The first version that has strict tables."""


class SqliteStorage:
    """A `Storage` with one connection a process, which its threads use one after another."""

    _connection: sqlite3.Connection | None = None

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
        self._synchronous, self._busy_ms, self._now_ms = synchronous, busy_ms, now_ms
        self._commits = 0
        self._lock = Lock()
        self._group_commit = GroupCommit()
        process_fork.register_fork_aware(self)

    def write(self, work: Callable[[Tables], T], call: CallNames | None = None) -> T:
        try:
            if call is None:
                with self._lock:
                    return self._run_transaction("BEGIN IMMEDIATE", work)
            return self._group_commit.run(work, self._commit)
        except sqlite3.Error as error:
            raise self._unavailable_error(error) from error

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        try:
            with self._lock:
                return self._run_transaction("BEGIN", work)
        except sqlite3.Error as error:
            raise self._unavailable_error(error) from error

    def close(self) -> None:
        """Closes the file. The next use opens it again."""
        with self._lock:
            self._disconnect()

    def __del__(self) -> None:
        self._disconnect()  # Python 3.13 warns of a connection that nobody closed

    def before_fork(self) -> None:
        self._lock.acquire()
        self._disconnect()

    def after_fork(self, in_child: bool) -> None:
        if in_child:
            self._group_commit = GroupCommit()
        self._lock.release()

    def _commit(self, tasks: Sequence[QueuedWork[Any]]) -> None:
        with self._lock:
            connection = self._open_connection()
            # IMMEDIATE locks for writing at once. SQLite may refuse a reader that asks later.
            self._run_transaction("BEGIN IMMEDIATE", lambda tables: _attempt_each(tasks, tables))
            self._checkpoint(connection)

    def _run_transaction(self, begin: str, work: Callable[[SqlTables], T]) -> T:
        """Does some work in a transaction, which it ends either way."""
        connection = self._open_connection()
        connection.execute(begin)
        try:
            tables = SqlTables(connection.execute, self._now_ms)
            result = work(tables)
            tables.commit()
            for statement, values in tables.changes():
                connection.execute(statement, values)
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise
        return result

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < SQLITE_MIN:
            raise LedgerUnavailable(
                f"SQLite {sqlite3.sqlite_version} is too old; use 3.37 or later"
            )
        connection = sqlite3.connect(
            self._path, timeout=self._busy_ms / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file
            self._turn_log_on(connection)
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            # See `_checkpoint`.
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("BEGIN IMMEDIATE")
            migrate(connection.execute, SQLITE)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _turn_log_on(self, connection: sqlite3.Connection) -> None:
        """Has the file keep a write-ahead log, as it does from then on.

        Of a new file that others open as well, SQLite refuses this at once while one of them
        writes, whatever its busy timeout.
        """
        give_up_at_s = time.monotonic() + self._busy_ms / 1000
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() >= give_up_at_s:
                    raise
                time.sleep(LOG_PAUSE_S)

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        """Moves the log into the file now and then, while nobody else may write.

        SQLite's own checkpoints run beside other writers, and before 3.51.3 could lose what
        one of them committed at that moment (the "WAL-reset bug").
        """
        self._commits += 1
        if self._commits % COMMITS_PER_CHECKPOINT == 1:
            # It can wait: what is in the log is as durable as what is in the file.
            with suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()  # closing rolls back as well

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unavailable_error(self, error: sqlite3.Error) -> LedgerUnavailable:
        remedy = "check that its disk has room, and that the file can be written"
        if getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            remedy = "move the file away, or put back a copy of it: it is damaged, or no ledger"
        return LedgerUnavailable(f"the ledger {self._path} cannot be used ({error}); {remedy}")


class SqliteLedger(BaseLedger):
    """A `Ledger` in a file.

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
        self._sqlite_storage.close()


def _attempt_each(tasks: Sequence[QueuedWork[Any]], tables: SqlTables) -> None:
    """Does the tasks that are committed together, each of them wholly or not at all.

    Raises:
        sqlite3.Error: the file cannot be used, which ends it for all.
        Exception: what a task without others raises.
    """
    for task in tasks:
        try:
            task.attempt(tables)
        except Exception as error:
            tables.roll_back()  # its own thread will see why
            if len(tasks) == 1 or isinstance(error, sqlite3.Error):
                raise
        else:
            tables.commit()
