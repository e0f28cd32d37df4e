"""The connections of one process to a PostgreSQL server."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from thrifty.budget import LedgerUnavailable
from thrifty.ledger import process_fork
from thrifty.ledger.schema import POSTGRES, migrate
from thrifty.ledger.sql import Execute

if TYPE_CHECKING:
    import psycopg

IDLE_TIMEOUT_MS = 10_000
"""How long a transaction may be idle before the server ends it."""
PLANNER_SETTINGS = ("plan_cache_mode = force_generic_plan", "enable_seqscan = off", "jit = off")
"""Nearly every statement asks for a few rows by their keys. So each is planned once, by the
indexes, also while the tables are new and the server takes them to be small. It takes the server a
quarter less time for a call."""
CONNECT_PAUSE_S = 0.1
"""Between two attempts to connect."""
MIGRATION_LOCK = 0x7468_7269_6674_79
"""The key under which processes wait for each other to migrate: "thrifty" in ASCII."""

inherited_connections: list[Any] = []
"""Connections of parent processes: closing one, even by forgetting it, would end theirs."""


class PostgresConnections:
    """Opens connections as they are needed, one for each thread that works at the same time.

    Args:
        conninfo: how to connect.
        wait_s: how long a server may be away before that is an error.
        lock_wait_ms: how long a statement waits for what another transaction has locked.
    """

    def __init__(self, conninfo: str, wait_s: float, lock_wait_ms: int) -> None:
        self._conninfo, self._wait_s, self._lock_wait_ms = conninfo, wait_s, lock_wait_ms
        self._idle: list[psycopg.Connection[Any]] = []
        """The one that was used last is used next, so that there are no more than needed."""
        self._open: set[psycopg.Connection[Any]] = set()
        self._away_since_s: float | None = None
        """Since when nobody could connect, on the monotonic clock."""
        self._migration_lock = Lock()
        self._is_migrated = False
        process_fork.register_fork_aware(self)

    @contextmanager
    def lend(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection outside of any transaction, for as long as somebody works with it."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        except import_driver().OperationalError:
            if connection.closed:
                self.close()  # the server has gone, and with it the other connections
            raise
        finally:
            self._take_back(connection)

    def close(self) -> None:
        """Closes those that nobody works with. The next use opens new ones."""
        with suppress(IndexError):
            while True:
                self._close(self._idle.pop())

    def before_fork(self) -> None:
        """Nothing to do: the child leaves all that is open to its parent."""

    def after_fork(self, in_child: bool) -> None:
        if in_child:
            inherited_connections.extend(self._open)
            self._open, self._idle = set(), []
            self._migration_lock = Lock()

    def _take_back(self, connection: psycopg.Connection[Any]) -> None:
        """Keeps a connection for the next use, if what was done with it has an end."""
        if connection not in self._open:  # it was opened before this process was forked
            return
        with suppress(import_driver().Error):
            if not connection.closed and connection.info.transaction_status:
                # Past the driver, which would prepare all statements anew after a ROLLBACK.
                connection.pgconn.exec_(b"ROLLBACK")
        if connection.closed or connection.info.transaction_status:
            self._close(connection)
        else:
            self._idle.append(connection)

    def _close(self, connection: psycopg.Connection[Any]) -> None:
        self._open.discard(connection)
        connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        """A new connection, as soon as the server is there."""
        while True:
            try:
                connection = self._open_connection()
            except import_driver().OperationalError:
                now_s = time.monotonic()
                self._away_since_s = self._away_since_s or now_s
                if now_s - self._away_since_s >= self._wait_s:
                    raise
                time.sleep(CONNECT_PAUSE_S)
            else:
                self._away_since_s = None
                return connection

    def _open_connection(self) -> psycopg.Connection[Any]:
        wait_s = max(2, math.ceil(self._wait_s))  # libpq takes 1 for 2
        connection: psycopg.Connection[Any] = import_driver().connect(
            self._conninfo, autocommit=True, client_encoding="utf8", connect_timeout=wait_s
        )
        self._open.add(connection)
        try:
            _configure_connection(connection, self._lock_wait_ms)
            with self._migration_lock:
                if not self._is_migrated:
                    _migrate(connection)
                    self._is_migrated = True
        except BaseException:
            self._close(connection)
            raise
        return connection


def import_driver() -> Any:
    """The driver.

    Raises:
        LedgerUnavailable: it is not installed.
    """
    try:
        import psycopg
    except ImportError as error:
        remedy = 'install it with: pip install "thrifty[postgres]"'
        raise LedgerUnavailable(f"the PostgreSQL driver is missing ({error}); {remedy}") from error
    return psycopg


def make_execute(connection: psycopg.Connection[Any]) -> Execute:
    """Runs the ledger's statements on a connection."""
    return lambda sql, values: connection.execute(driver_sql(sql), values)


@lru_cache(maxsize=128)
def driver_sql(sql: str) -> bytes:
    """A statement with its values marked as this driver wants them."""
    return sql.replace("?", "%s").encode()


def _configure_connection(connection: psycopg.Connection[Any], lock_wait_ms: int) -> None:
    """What has to hold on every connection, whatever the server's defaults are.

    A process that is stopped in a transaction must not hold an account for ever.
    """
    from psycopg.types.numeric import Int8Dumper

    # Else a number's size chooses its type, and each choice is another statement to prepare.
    connection.adapters.register_dumper(int, Int8Dumper)
    for setting in PLANNER_SETTINGS:
        connection.execute(f"SET {setting}".encode())
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.execute("SET default_transaction_isolation = 'read committed'")
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}".encode())
    connection.execute(f"SET lock_timeout = {lock_wait_ms}".encode())


def _migrate(connection: psycopg.Connection[Any]) -> None:
    with connection.transaction():
        if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
            raise LedgerUnavailable(f"the database has encoding {encoding}; make one in UTF8")
        connection.execute("SET LOCAL lock_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        migrate(make_execute(connection), POSTGRES)
