"""A ledger in this process's memory: as strict as any other, and gone when the process ends."""

import os
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from thrifty.budget import LedgerUnavailable
from thrifty.ledger.base_ledger import BaseLedger, wall_clock_ms
from thrifty.ledger.protocol import Entry, Lease
from thrifty.ledger.rules import UNDER_WAY, StoredAccount
from thrifty.ledger.storage import Tables

T = TypeVar("T")


class MemoryTables:
    """Rows in dictionaries, and what they were before the transaction changed them."""

    def __init__(self) -> None:
        self._accounts: dict[str, StoredAccount] = {}
        self._entries: dict[str, dict[str, Entry]] = {}
        self._leases: dict[tuple[str, str], Lease] = {}
        self._accounts_with_overruns: set[str] = set()
        """The accounts that ever had one: the others need not be searched."""
        self._undo_log: list[tuple[dict[Any, Any], Any, Any]] = []
        """A table, a key and the row before the change; None where there was none."""

    def account(self, name: str) -> StoredAccount | None:
        return self._accounts.get(name)

    def entry(self, account: str, key: str) -> Entry | None:
        return self._entries[account].get(key)

    def entries(self, account: str) -> list[Entry]:
        return list(self._entries[account].values())

    def open_entries(self, account: str) -> list[Entry]:
        return [entry for entry in self._entries[account].values() if entry.is_open]

    def overruns(self, account: str) -> list[Entry]:
        if account not in self._accounts_with_overruns:
            return []
        return [entry for entry in self._entries[account].values() if entry.is_overrun]

    def lease(self, account: str, run: str) -> Lease | None:
        return self._leases.get((account, run))

    def add_account(self, account: StoredAccount) -> None:
        self._put(self._entries, account.name, {})
        self._put(self._accounts, account.name, account)

    def set_account(self, account: StoredAccount) -> None:
        self._put(self._accounts, account.name, account)

    def add_entry(self, account: str, entry: Entry) -> None:
        self._put(self._entries[account], entry.key, entry)

    def set_entry(self, account: str, entry: Entry) -> None:
        self._put(self._entries[account], entry.key, entry)
        if entry.status not in UNDER_WAY and entry.is_overrun:
            self._accounts_with_overruns.add(account)

    def set_lease(self, lease: Lease) -> None:
        self._put(self._leases, (lease.account, lease.run), lease)

    @property
    def is_empty(self) -> bool:
        """Whether no account was ever opened."""
        return not self._accounts

    def commit(self) -> None:
        """Ends the transaction."""
        self._undo_log.clear()

    def roll_back(self) -> None:
        """Undoes the transaction, even where a Ctrl-C ended it between two rows."""
        while self._undo_log:
            rows, key, before = self._undo_log.pop()
            if before is None:
                rows.pop(key, None)
            else:
                rows[key] = before

    def _put(self, rows: dict[Any, Any], key: Any, row: Any) -> None:
        self._undo_log.append((rows, key, rows.get(key)))
        rows[key] = row


class MemoryStorage:
    """A `Storage` for one process, whose threads it lets in one after another."""

    def __init__(self) -> None:
        self._tables = MemoryTables()
        self._lock = Lock()
        self._pid = os.getpid()

    def write(self, work: Callable[[Tables], T]) -> T:
        self._check_process()
        with self._lock:
            # Every exception, a Ctrl-C included: half a transaction would break the sums.
            try:
                result = work(self._tables)
                self._tables.commit()
            except BaseException:
                self._tables.roll_back()
                raise
        return result

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        self._check_process()
        with self._lock:
            return work(self._tables)

    def _check_process(self) -> None:
        """A fork has a copy of the tables, and would spend every budget a second time.

        A server that builds its agent first and forks then has none to spend yet.
        """
        if os.getpid() == self._pid:
            return
        if not self._tables.is_empty:
            raise LedgerUnavailable(
                "this ledger lives in the memory of another process; "
                "share a SqliteLedger or a PostgresLedger instead"
            )
        self._pid = os.getpid()


class MemoryLedger(BaseLedger):
    """A `Ledger` for runs that live and end in one process."""

    def __init__(self, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        super().__init__(MemoryStorage(), now_ms)
