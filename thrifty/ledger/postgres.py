"""A ledger in PostgreSQL: any number of processes on any number of machines.

An account's row is locked for each change, so that accounts do not wait for each other. What
is committed survives what the server's `synchronous_commit` says; where that is off for the
role or the database, it is turned on for the ledger's own connections.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from thrifty.budget import LedgerUnavailable
from thrifty.ledger import forks
from thrifty.ledger.book import Book, wall_clock_ms
from thrifty.ledger.schema import POSTGRES
from thrifty.ledger.sql import Cursor, Row, SqlBooks, migrate
from thrifty.ledger.store import Books

if TYPE_CHECKING:
    import psycopg
    from psycopg_pool import ConnectionPool

T = TypeVar("T")

POOL_MAX = 8
WAIT_S = 30.0
"""How long to wait for a connection."""
LOCK_MS = 30_000
"""How long to wait for an account that others change."""
IDLE_MS = 10_000
"""How long a transaction may stand still before the server ends it."""
ATTEMPTS_MAX = 10
PAUSE_S = 0.01
PASSING = ("40001", "40P01", "23505", "57P", "08", "25P03")
"""Serialisation failure, deadlock, a key that another has added meanwhile; a server that goes
down or comes up, a lost connection, a transaction that stood still."""
WRITE = b"BEGIN"
READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
MIGRATION_LOCK = 0x7468_7269_6674_79
"""The key under which processes wait for each other to migrate: "thrifty" in ASCII."""

inherited: list[Any] = []
"""Pools of parent processes: closing one, even by forgetting it, would end their connections."""


class PostgresStore:
    """A `Store` with a pool of connections in each process."""

    def __init__(self, conninfo: str, pool_max: int, wait_s: float) -> None:
        self._conninfo = conninfo
        self._pool_max, self._wait_s = pool_max, wait_s
        self._pool: ConnectionPool | None = None
        self._lock = Lock()
        self._is_migrated = False
        forks.watch(self)

    def write(self, work: Callable[[Books], T]) -> T:
        return self._run(work, WRITE, " FOR UPDATE")

    def read(self, work: Callable[[Books], T], *, is_single: bool = False) -> T:
        return self._run(work, None if is_single else READ, "")

    def close(self) -> None:
        """Closes the connections; the next use opens new ones."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def before_fork(self) -> None:
        self._lock.acquire()

    def after_fork(self, in_child: bool) -> None:
        if in_child and self._pool is not None:
            inherited.append(self._pool)
            self._pool = None
        self._lock.release()

    def _run(self, work: Callable[[Books], T], begin: bytes | None, lock: str) -> T:
        """Does the work, and anew when that can help: an act that is done twice is done once."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                # Who leaves the connection commits or, by an exception, rolls back.
                with self._connected().connection() as connection:
                    if begin:
                        connection.execute(begin)
                    return work(SqlBooks(_executing(connection), lock))
            except _driver().Error as error:
                if attempt == ATTEMPTS_MAX or not _passes(error):
                    raise LedgerUnavailable(
                        f"the ledger's database failed ({_first_line(error)}); "
                        "check that it runs, has room, and lets this role write"
                    ) from error
            time.sleep(PAUSE_S * attempt * random.random())
        raise AssertionError("the last attempt returns or raises")

    def _connected(self) -> ConnectionPool:
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
            configure=_configure,
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
            migrate(_executing(connection), POSTGRES)


class PostgresLedger(Book):
    """A `Ledger` in a PostgreSQL database; needs `pip install "thrifty[postgres]"`.

    Args:
        conninfo: how to connect, as a URL or in libpq's words; `PG…` variables fill the rest.
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
        wait_s: float = WAIT_S,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        _driver()
        self._database = PostgresStore(conninfo, pool_max, wait_s)
        super().__init__(self._database, now_ms)

    def close(self) -> None:
        """Closes the connections; the next use opens new ones."""
        self._database.close()


def _driver() -> Any:
    try:
        import psycopg
        import psycopg_pool  # noqa: F401 - looked for here, used later
    except ImportError as error:
        remedy = 'install it with: pip install "thrifty[postgres]"'
        raise LedgerUnavailable(f"the PostgreSQL driver is missing ({error}); {remedy}") from error
    return psycopg


def _configure(connection: psycopg.Connection[Any]) -> None:
    """What has to hold on every connection, whatever the server's defaults are.

    A process that is stopped in a transaction must not hold an account for ever.
    """
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.execute("SET default_transaction_isolation = 'read committed'")
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_MS}".encode())
    connection.execute(f"SET lock_timeout = {LOCK_MS}".encode())


def _executing(connection: psycopg.Connection[Any]) -> Callable[[str, Row], Cursor]:
    def execute(sql: str, values: Row) -> Cursor:
        return connection.execute(_marked(sql), values)

    return execute


@lru_cache(maxsize=64)
def _marked(sql: str) -> bytes:
    """A statement with its values marked as this driver wants them."""
    return sql.replace("?", "%s").encode()


def _passes(error: Any) -> bool:
    """Whether another attempt can fare better: it came too close to another, or lost its line."""
    if error.sqlstate is not None:
        return str(error.sqlstate).startswith(PASSING)
    return isinstance(error, _driver().OperationalError) and "Timeout" not in type(error).__name__


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
