"""A ledger in PostgreSQL: any number of processes on any number of machines.

Each change locks its account's row, so that accounts do not wait for each other. The server's
`synchronous_commit` says what a commit survives. Where it is off for the role or the database,
the ledger turns it on for its own connections.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from thrifty.budget import LedgerUnavailable
from thrifty.ledger import process_fork
from thrifty.ledger.base_ledger import BaseLedger, wall_clock_ms
from thrifty.ledger.schema import POSTGRES
from thrifty.ledger.sql import Cursor, SqlRow, SqlTables, migrate
from thrifty.ledger.storage import Tables

if TYPE_CHECKING:
    import psycopg
    from psycopg_pool import ConnectionPool

T = TypeVar("T")

POOL_MAX = 8
CONNECTION_WAIT_S = 30.0
"""How long to wait for a connection."""
LOCK_TIMEOUT_MS = 30_000
"""How long to wait for an account that others change."""
IDLE_TIMEOUT_MS = 10_000
"""How long a transaction may be idle before the server ends it."""
TRANSACTION_ATTEMPTS_MAX = 10
RETRY_PAUSE_S = 0.01
TRANSIENT_SQLSTATES = ("40001", "40P01", "23505", "57P", "08", "25P03")
"""Serialisation failure, deadlock, a key that another has added meanwhile, a server that stops or
starts, a lost connection, a transaction that was idle too long."""
BEGIN_WRITE = b"BEGIN"
BEGIN_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
MIGRATION_LOCK = 0x7468_7269_6674_79
"""The key under which processes wait for each other to migrate: "thrifty" in ASCII."""

inherited_pools: list[Any] = []
"""Pools of parent processes: closing one, even by forgetting it, would end their connections."""


class PostgresStorage:
    """A `Storage` with a pool of connections in each process."""

    def __init__(self, conninfo: str, pool_max: int, wait_s: float) -> None:
        self._conninfo = conninfo
        self._pool_max, self._wait_s = pool_max, wait_s
        self._pool: ConnectionPool | None = None
        self._lock = Lock()
        self._is_migrated = False
        process_fork.register_fork_aware(self)

    def write(self, work: Callable[[Tables], T]) -> T:
        return self._run_transaction(work, BEGIN_WRITE, " FOR UPDATE")

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        return self._run_transaction(work, None if is_single else BEGIN_READ, "")

    def disconnect(self) -> None:
        """Closes the connections. The next use opens new ones."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def before_fork(self) -> None:
        self._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        if in_child and self._pool is not None:
            inherited_pools.append(self._pool)
            self._pool = None
        self._lock.release()

    def _run_transaction(
        self, work: Callable[[Tables], T], begin: bytes | None, lock_clause: str
    ) -> T:
        """Does the work, and anew when that can help: an act that is done twice is done once."""
        for attempt in range(1, TRANSACTION_ATTEMPTS_MAX + 1):
            try:
                # Who leaves the connection commits or, by an exception, rolls back.
                with self._open_pool().connection() as connection:
                    if begin:
                        connection.execute(begin)
                    return work(SqlTables(_make_execute(connection), lock_clause))
            except _import_driver().Error as error:
                if attempt == TRANSACTION_ATTEMPTS_MAX or not _is_transient(error):
                    first_line = str(error).partition("\n")[0]
                    raise LedgerUnavailable(
                        f"the ledger's database failed ({first_line}); "
                        "check that it runs, has room, and lets this role write"
                    ) from error
            # Random, so that two that came in each other's way do not meet again.
            time.sleep(RETRY_PAUSE_S * attempt * random.random())
        raise AssertionError("the last attempt returns or raises")

    def _open_pool(self) -> ConnectionPool:
        with self._lock:
            if self._pool is None:
                self._pool = self._new_pool()
            if not self._is_migrated:
                self._migrate(self._pool)
                self._is_migrated = True
            return self._pool

    def _new_pool(self) -> ConnectionPool:
        from psycopg_pool import ConnectionPool

        return ConnectionPool(
            self._conninfo,
            kwargs={"autocommit": True, "client_encoding": "utf8"},
            configure=_configure_connection,
            min_size=1,
            max_size=self._pool_max,
            timeout=self._wait_s,
            open=True,
        )

    def _migrate(self, pool: ConnectionPool) -> None:
        with pool.connection() as connection, connection.transaction():
            if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
                raise LedgerUnavailable(f"the database has encoding {encoding}; make one in UTF8")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            migrate(_make_execute(connection), POSTGRES)


class PostgresLedger(BaseLedger):
    """A `Ledger` in a PostgreSQL database. It needs `pip install "thrifty[postgres]"`.

    Args:
        conninfo: how to connect, as a URL or in libpq's form. `PG…` variables supply the rest.
        pool_max: the most connections of this process.
        wait_s: how long to wait for one of them.
        now_ms: the time, as leases show it.

    Raises:
        LedgerUnavailable: the driver is not installed.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        pool_max: int = POOL_MAX,
        wait_s: float = CONNECTION_WAIT_S,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        _import_driver()
        self._postgres_storage = PostgresStorage(conninfo, pool_max, wait_s)
        super().__init__(self._postgres_storage, now_ms)

    def disconnect(self) -> None:
        """Closes the connections. The next use opens new ones."""
        self._postgres_storage.disconnect()


def _import_driver() -> Any:
    try:
        import psycopg
        import psycopg_pool  # noqa: F401 - looked for here, used later
    except ImportError as error:
        remedy = 'install it with: pip install "thrifty[postgres]"'
        raise LedgerUnavailable(f"the PostgreSQL driver is missing ({error}); {remedy}") from error
    return psycopg


def _configure_connection(connection: psycopg.Connection[Any]) -> None:
    """What has to hold on every connection, whatever the server's defaults are.

    A process that is stopped in a transaction must not hold an account for ever.
    """
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.execute("SET default_transaction_isolation = 'read committed'")
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}".encode())
    connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}".encode())


def _make_execute(connection: psycopg.Connection[Any]) -> Callable[[str, SqlRow], Cursor]:
    return lambda sql, values: connection.execute(_driver_sql(sql), values)


@lru_cache(maxsize=64)
def _driver_sql(sql: str) -> bytes:
    """A statement with its values marked as this driver wants them."""
    return sql.replace("?", "%s").encode()


def _is_transient(error: Any) -> bool:
    """Whether another attempt may succeed: a conflict with another, or a lost connection."""
    if error.sqlstate is not None:
        return str(error.sqlstate).startswith(TRANSIENT_SQLSTATES)
    return (
        isinstance(error, _import_driver().OperationalError)
        and "Timeout" not in type(error).__name__
    )
