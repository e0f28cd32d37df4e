"""A ledger in PostgreSQL: any number of processes on any number of machines.

Each change locks its account and those above it, so that other accounts do not wait for it. Calls
that wait at the same moment share a transaction (group commit). The
server's `synchronous_commit` says what a commit survives. Where it is off for the role or the
database, the ledger turns it on for its own connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from thrifty.budget import LedgerUnavailable
from thrifty.ledger.base_ledger import BaseLedger
from thrifty.ledger.commit_queue import CommitQueue
from thrifty.ledger.postgres_connections import PostgresConnections, import_driver
from thrifty.ledger.postgres_transactions import (
    LOCK_WAIT_MS,
    AccountBlocked,
    PostgresTransactions,
)
from thrifty.ledger.queued_work import WorkKind
from thrifty.ledger.storage import CallNames, Tables

T = TypeVar("T")

CALL_THREADS = 1
"""How many transactions that several calls share are under way at the same time. With two, each
has half of the calls, and the second mostly waits for the locks of the first: 8 callers on one
account took a third longer."""
OTHER_THREADS_MAX = 8
BLOCKED_THREADS = 2
CONNECTION_WAIT_S = 30.0
"""How long a server may be away."""
BLOCKED_WAIT_S = 30.0
"""How long to wait for an account that others hold."""


class PostgresStorage:
    """A `Storage` with threads and connections in each process."""

    def __init__(
        self, conninfo: str, pool_max: int, wait_s: float, clock: Callable[[], int] | None
    ) -> None:
        self._conninfo = conninfo
        connections = PostgresConnections(conninfo, wait_s, LOCK_WAIT_MS)
        self._transactions = do = PostgresTransactions(connections, clock)
        self._calls = CommitQueue(do.commit_calls, do.close, CALL_THREADS)
        self._others = CommitQueue(do.do_each, do.close, pool_max, batch_max=1)
        self._blocked = CommitQueue(do.commit_blocked, do.close, BLOCKED_THREADS)

    @property
    def identity(self) -> Hashable:
        return "postgres", self._conninfo

    def write(self, work: Callable[[Tables], T], call: CallNames | None = None) -> T:
        try:
            return self._run(self._calls if call else self._others, work, "write", call)
        except AccountBlocked:
            return self._wait_for_lock(work, call)

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        return self._run(self._others, work, "single read" if is_single else "read")

    def disconnect(self) -> None:
        """Closes the connections. The next use opens new ones."""
        for queue in (self._calls, self._others, self._blocked):
            queue.stop()
        self._transactions.close()

    def _wait_for_lock(self, work: Callable[[Tables], T], call: CallNames | None) -> T:
        give_up_at_s = time.monotonic() + BLOCKED_WAIT_S
        while True:
            try:
                return self._run(self._blocked, work, "write", call)
            except AccountBlocked as error:
                if time.monotonic() >= give_up_at_s:
                    raise LedgerUnavailable(
                        f"another process has held the account for {BLOCKED_WAIT_S:.0f} seconds; "
                        "check whether it is stopped in the midst of a transaction"
                    ) from error

    def _run(
        self,
        queue: CommitQueue,
        work: Callable[[Tables], T],
        kind: WorkKind,
        call: CallNames | None = None,
    ) -> T:
        try:
            return queue.run(work, kind, call)
        except import_driver().Error as error:
            first_line = str(error).partition("\n")[0]
            raise LedgerUnavailable(
                f"the ledger's database failed ({first_line}); "
                "check that it runs, has room, and lets this role write"
            ) from error


class PostgresLedger(BaseLedger):
    """A `Ledger` in a PostgreSQL database. It needs `pip install "thrifty[postgres]"`.

    Args:
        conninfo: how to connect, as a URL or in libpq's form. `PG…` variables supply the rest.
        pool_max: the most connections of this process beside those for calls.
        wait_s: how long the server may be away.
        now_ms: the time, in milliseconds since 1970, by which windows begin and end. By default,
            the database's.

    Raises:
        LedgerUnavailable: the driver is not installed.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        pool_max: int = OTHER_THREADS_MAX,
        wait_s: float = CONNECTION_WAIT_S,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        import_driver()
        self._postgres_storage = PostgresStorage(conninfo, pool_max, wait_s, now_ms)
        super().__init__(self._postgres_storage)

    def disconnect(self) -> None:
        """Closes the connections. The next use opens new ones."""
        self._postgres_storage.disconnect()
