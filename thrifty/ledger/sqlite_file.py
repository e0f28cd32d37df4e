"""The file of an SQLite ledger: one connection, for the one thread that works on it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import RLock
from typing import Any, Literal

from thrifty.budget import LedgerUnavailable
from thrifty.ledger import process_fork
from thrifty.ledger.queued_work import QueuedWork
from thrifty.ledger.schema import SQLITE, migrate
from thrifty.ledger.sql import Execute, SqlTables
from thrifty.ledger.sqlite_tables import SqliteTables

Synchronous = Literal["FULL", "NORMAL"]
FileIdentity = tuple[int, int]
"""Device and number of a file: another one under its name has others."""

BUSY_TURN_MS = 250
"""How long SQLite waits for other processes at a time. Between two turns a fork may come, and
who has waited long enough is told so."""
TURN_PAUSE_S = 0.002
"""Between two turns. A lock that is taken again at once is not had by who waits to fork."""
LOG_PAUSE_S = 0.005
"""Between two attempts to turn the log of a new file on."""
COMMITS_PER_CHECKPOINT = 500
"""The log grows to some two megabytes, and is then used again from its start: to write what is
there already takes two thirds of the time of growing a file. A checkpoint flushes twice."""
PAGE_BYTES = 1024
"""A commit writes each page that it touches whole, and an entry fills a part of one: a pair of
acts takes a fifth less than with SQLite's own 4,096."""
SQLITE_MIN = (3, 37)
"""The first version that has strict tables."""

inherited_connections: list[sqlite3.Connection] = []
"""Connections of parent processes: closing one, even by forgetting it, could harm their file."""


class SqliteFile:
    """A file that one thread at a time works on.

    It is opened when it is first needed. A file that is deleted or replaced meanwhile is noticed
    before anything is written: what this process reserved is not in the other file, and what it
    would write into the old one nobody would find. So it refuses to work until it is closed and,
    by that, told to go on with whatever file is there then.
    """

    def __init__(
        self, path: str, synchronous: Synchronous, busy_ms: int, now_ms: Callable[[], int]
    ) -> None:
        self._path, self._synchronous = path, synchronous
        self._busy_ms, self._now_ms = busy_ms, now_ms
        self._connection: sqlite3.Connection | None = None
        self._execute: Execute
        self._tables: SqliteTables
        self._identity: FileIdentity | None = None
        """Which file it was, from when it was first opened until `close`."""
        self._commits = 0
        self._use_lock = RLock()
        """Held while the connection is used, and around a fork."""
        process_fork.register_fork_aware(self)

    def commit(self, tasks: Sequence[QueuedWork[Any]]) -> None:
        """Does some work, for as long as other processes have the file, but for none too long."""
        while tasks:
            try:
                with self._use_lock:
                    self._attempt(tasks)
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                given_up_s = time.monotonic() - self._busy_ms / 1000
                for task in tasks:
                    if task.asked_s <= given_up_s:
                        task.fail(error)
            tasks = [task for task in tasks if not task.is_done]
            time.sleep(TURN_PAUSE_S)

    def close(self) -> None:
        """Closes the file. The next use opens whatever file is there then."""
        with self._use_lock:
            self._disconnect()
            self._identity = None

    def before_fork(self) -> None:
        self._use_lock.acquire()
        self._disconnect()

    def after_fork(self, in_child: bool) -> None:
        if not in_child:
            process_fork.release_wholly(self._use_lock)
            return
        self._use_lock = RLock()
        if self._connection is not None:
            inherited_connections.append(self._connection)
            self._connection = None

    def unavailable_error(self, error: Exception) -> LedgerUnavailable:
        """What to tell a person of an error of SQLite."""
        remedy = "check that its disk has room, and that the file can be written"
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            remedy = "move the file away, or put back a copy of it: it is damaged, or no ledger"
        return LedgerUnavailable(f"the ledger {self._path} cannot be used ({error}); {remedy}")

    def _attempt(self, tasks: Sequence[QueuedWork[Any]]) -> None:
        """Does what stands by itself, piece by piece, and then what can share a transaction."""
        if self._connection is None:
            self._connection = self._connect()
            # One cursor for all: to make one for each statement takes a twentieth of an act.
            self._execute = self._connection.cursor().execute
            self._tables = SqliteTables(self._execute, self._now_ms)
        shared = []
        for task in tasks:
            if task.is_done:
                continue
            if task.kind == "write":
                shared.append(task)
            else:
                self._do_alone(task)
        if shared:
            self._write(shared)

    def _do_alone(self, task: QueuedWork[Any]) -> None:
        try:
            if task.kind == "write alone":
                self._write([task])
            else:
                self._read(task)
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.OperationalError) and _is_busy(error):
                raise
            task.fail(error)
        task.finish()

    def _read(self, task: QueuedWork[Any]) -> None:
        if task.kind == "read":
            self._execute("BEGIN", ())
        self._check_file()
        task.attempt(SqlTables(self._execute, self._now_ms))
        if task.kind == "read":
            self._execute("COMMIT", ())

    def _write(self, tasks: Sequence[QueuedWork[Any]]) -> None:
        execute = self._execute
        # IMMEDIATE locks for writing at once. SQLite may refuse a reader that asks later.
        execute("BEGIN IMMEDIATE", ())
        try:
            self._check_file()
            self._tables.begin()
            _attempt_each(tasks, self._tables)
            self._tables.write_changes()
            execute("COMMIT", ())
            self._tables.end()
        except BaseException:
            self._roll_back()
            raise
        self._commits += 1
        if self._commits % COMMITS_PER_CHECKPOINT == 1:
            self._checkpoint()

    def _check_file(self) -> None:
        """Refuses to go on where somebody has deleted or replaced the file.

        Raises:
            LedgerUnavailable: somebody has.
        """
        if _identify(self._path) != self._identity:
            raise self._replaced_error()

    def _replaced_error(self) -> LedgerUnavailable:
        return LedgerUnavailable(
            f"the ledger {self._path} was deleted or replaced while this process used it; "
            "put it back, or call `disconnect()` to go on with the file that is there now"
        )

    def _connect(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < SQLITE_MIN:
            raise LedgerUnavailable(
                f"SQLite {sqlite3.sqlite_version} is too old; use 3.37 or later"
            )
        found = _identify(self._path)
        if self._identity not in (None, found):
            raise self._replaced_error()
        connection = sqlite3.connect(
            self._path,
            timeout=min(self._busy_ms, BUSY_TURN_MS) / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare(connection)
            opened = _identify(self._path)
            if opened is None:
                raise self._replaced_error()
        except BaseException:
            connection.close()
            raise
        if found not in (None, opened):  # nobody knows which of the two it is
            connection.close()
            return self._connect()
        self._identity = opened
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file
        self._turn_log_on(connection)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        # See `_checkpoint`.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection.execute, SQLITE)
        connection.execute("COMMIT")

    def _turn_log_on(self, connection: sqlite3.Connection) -> None:
        """Has the file keep a write-ahead log, as it does from then on.

        Of a new file that others open as well, SQLite refuses this at once while one of them
        writes, whatever its busy timeout.
        """
        give_up_at_s = time.monotonic() + min(self._busy_ms, BUSY_TURN_MS) / 1000
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= give_up_at_s:
                    raise
                time.sleep(LOG_PAUSE_S)

    def _checkpoint(self) -> None:
        """Moves the log into the file, while nobody else may write.

        SQLite's own checkpoints run beside other writers, and before 3.51.3 could lose what
        one of them committed at that moment (the "WAL-reset bug").
        """
        # It can wait: what is in the log is as durable as what is in the file.
        with suppress(sqlite3.Error):
            self._execute("PRAGMA wal_checkpoint(FULL)", ()).fetchall()

    def _roll_back(self) -> None:
        try:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()  # closing rolls back as well

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _identify(path: str) -> FileIdentity | None:
    """Which file has this name just now."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for each commit: a Path takes thrice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another process is in the way, so that it may go on later."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _attempt_each(tasks: Sequence[QueuedWork[Any]], tables: SqlTables) -> None:
    """Does the tasks that are committed together, each of them wholly or not at all.

    Raises:
        sqlite3.Error: the file cannot be used, which ends it for all.
        BaseException: what a task without others raises.
    """
    for task in tasks:
        try:
            task.attempt(tables)
        except BaseException as error:
            tables.roll_back()  # its own thread will see why
            if len(tasks) == 1 or isinstance(error, sqlite3.Error):
                raise
        else:
            tables.commit()
