"""The ledger's tables in SQL: the same statements for every database.

A transaction reads each row once, changes it in memory, and writes what has changed at its end.
So several acts in one transaction write each counter once, however often they changed it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Protocol

from thrifty.budget import LedgerUnavailable
from thrifty.budget.periods import Period
from thrifty.ledger.changed_rows import ChangedRows
from thrifty.ledger.records import Entry, Lease
from thrifty.ledger.sql_rows import (
    SqlRow,
    account_row,
    counter_change,
    counter_row,
    entry_change,
    read_account,
    read_counter,
    read_entry,
)
from thrifty.ledger.sql_statements import (
    ACCOUNT_COLUMNS,
    ENTRY_COLUMNS,
    INSERT_ACCOUNT,
    INSERT_COUNTER,
    IS_OPEN,
    IS_OVERRUN,
    ORDER_BY_NUMBER,
    SELECT_ALL,
    SELECT_COUNTER,
    SELECT_ENTRY,
    SELECT_LEASE,
    SELECT_MINUTES,
    SELECT_NAMED,
    SELECT_NUMBERED,
    SELECT_WINDOW,
    UPDATE_ACCOUNT,
    UPSERT_LEASE,
    select,
)
from thrifty.ledger.storage import Account, Counter


class Cursor(Protocol):
    """What a statement brings back."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


Execute = Callable[[str, SqlRow], Cursor]
"""Runs one statement, with `?` for each value, in the transaction."""


class SqlTables(ChangedRows):
    """The rows of a database, within one transaction.

    Args:
        execute: runs a statement in the transaction.
        clock: the time, in milliseconds since 1970.
    """

    def __init__(self, execute: Execute, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self._execute = execute
        # What was read, and None where it is known that there is nothing.
        self._accounts: dict[str, Account | None] = {}
        self._names: dict[int, str] = {}
        self._counters: dict[int, Counter] = {}
        self._windows: dict[tuple[int, Period, int], int | None] = {}
        self._entries: dict[tuple[str, str], Entry | None] = {}
        self._leases: dict[tuple[str, str], Lease | None] = {}
        self._stored: dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]] = {}
        """What was changed: its table, its key, and the row that the database has."""

    def account(self, name: str) -> Account | None:
        if name not in self._accounts:
            self._accounts[name] = None
            self.note_accounts(self._execute(SELECT_NAMED, (name,)).fetchall())
        return self._accounts[name]

    def account_by_id(self, number: int) -> Account:
        if number not in self._names:
            self.note_accounts(self._execute(SELECT_NUMBERED, (number,)).fetchall())
        account = self.account(self._names[number]) if number in self._names else None
        if account is None:
            raise _missing_row(f"account number {number}")
        return account

    def accounts(self) -> list[Account]:
        rows = self._execute(SELECT_ALL, ()).fetchall()
        self.note_accounts(rows)
        # Not by `account`, which a database may let nobody ask for without a lock.
        known = (self._accounts[read_account(row).name] for row in rows)
        return [account for account in known if account is not None]

    def lock(self, accounts: Collection[int]) -> None:
        """Whoever writes to an SQLite file is alone."""

    def lock_counters(self, counters: Collection[int]) -> None:
        """As `lock`."""

    def counter(self, number: int) -> Counter:
        if number not in self._counters:
            self.note_counters(self._execute(SELECT_COUNTER, (number,)).fetchall())
        if number not in self._counters:
            raise _missing_row(f"counter number {number}")
        return self._counters[number]

    def counter_at(self, account: int, period: Period, starts_ms: int) -> Counter | None:
        window = account, period, starts_ms
        if window not in self._windows:
            self._windows[window] = None
            self.note_counters(self._execute(SELECT_WINDOW, window).fetchall())
        number = self._windows[window]
        return None if number is None else self._counters[number]

    def minute_counters(self, account: int, starts_from_ms: int) -> list[Counter]:
        rows = self._execute(SELECT_MINUTES, (account, starts_from_ms)).fetchall()
        self.note_counters(rows)
        return [self._counters[row[-1]] for row in rows]

    def entry(self, account: str, key: str) -> Entry | None:
        if (account, key) not in self._entries:
            row = self._execute(SELECT_ENTRY, (account, key)).fetchone()
            self._entries[account, key] = None if row is None else read_entry(row)
        return self._entries[account, key]

    def entries(self, account: str) -> list[Entry]:
        return self._find_entries("account = ?", account)

    def booked_entries(self, counter: int, since_ms: int = 0) -> list[Entry]:
        return self._find_entries("counters LIKE ? AND at_ms >= ?", f"%,{counter},%", since_ms)

    def open_entries(self, account: str | None = None) -> list[Entry]:
        if account is None:
            return self._find_entries(IS_OPEN)
        return self._find_entries(f"account = ? AND {IS_OPEN}", account)

    def overruns(self, account: str) -> list[Entry]:
        return self._find_entries(f"account = ? AND {IS_OVERRUN}", account)

    def lease(self, account: str, run: str) -> Lease | None:
        if (account, run) not in self._leases:
            row = self._execute(SELECT_LEASE, (account, run)).fetchone()
            self._leases[account, run] = None if row is None else Lease(*row)
        return self._leases[account, run]

    def add_account(self, account: Account) -> Account:
        (number,) = self._execute(INSERT_ACCOUNT, account_row(account)[:-1]).fetchone()
        self._note_account(numbered := account._replace(id=number))
        return numbered

    def set_account(self, account: Account) -> None:
        self._put(self._accounts, account.name, account)

    def add_counter(self, counter: Counter) -> Counter:
        (number,) = self._execute(INSERT_COUNTER, counter_row(counter)[:-1]).fetchone()
        self._note_counter(numbered := counter._replace(id=number))
        return numbered

    def set_counter(self, counter: Counter) -> None:
        self._put(self._counters, counter.id, counter)

    def add_entry(self, entry: Entry) -> None:
        self.set_entry(entry)

    def set_entry(self, entry: Entry) -> None:
        self._put(self._entries, (entry.account, entry.key), entry)

    def set_lease(self, lease: Lease) -> None:
        self._put(self._leases, (lease.account, lease.run), lease)

    def commit(self) -> None:
        self._note_changes()
        super().commit()

    def changes(self) -> Iterator[tuple[str, SqlRow]]:
        """The statements that write what was changed and committed, each row once."""
        for rows, key, before in self._stored.values():
            row = rows[key]
            if rows is self._entries:
                yield entry_change(before, row)
            elif rows is self._counters:
                yield counter_change(before, row)
            elif rows is self._accounts:
                yield UPDATE_ACCOUNT, account_row(row)
            else:
                yield UPSERT_LEASE, (row.account, row.run, row.owner, row.fence, row.since_ms)

    def write_changes(self) -> None:
        """Writes what was changed and committed."""
        for statement, row in self.changes():
            self._execute(statement, row)
        self._stored.clear()

    @property
    def row_count(self) -> int:
        """How many rows are read, and how many are known not to be there."""
        found = len(self._accounts) + len(self._counters) + len(self._windows)
        return found + len(self._entries) + len(self._leases)

    def forget(self) -> None:
        """Takes nothing as read any more, nor as changed."""
        self.roll_back()
        self._stored.clear()
        for rows in (self._accounts, self._names, self._counters, self._windows, self._leases):
            rows.clear()
        self.forget_entries()

    def forget_entries(self) -> None:
        """Takes no entry as read any more."""
        self._entries.clear()

    def note_accounts(self, rows: Iterable[SqlRow]) -> None:
        """Takes accounts as read, each with the counter of its whole life."""
        for row in rows:
            account = read_account(row)
            if account.id not in self._names:
                self._note_account(account)
            self.note_counters([row[len(ACCOUNT_COLUMNS) :]])

    def note_counters(self, rows: Iterable[SqlRow]) -> None:
        """Takes counters as read, but for those that were read before."""
        for row in rows:
            if row[-1] not in self._counters:
                self._note_counter(read_counter(row))

    def _note_changes(self) -> None:
        """Takes what was changed as to be written."""
        for rows, key, before in self._undo_log:
            self._stored.setdefault((id(rows), key), (rows, key, before))
        self._undo_log.clear()

    def _note_account(self, account: Account) -> None:
        self._accounts[account.name] = account
        self._names[account.id] = account.name

    def _note_counter(self, counter: Counter) -> None:
        self._counters[counter.id] = counter
        self._windows[counter.account, counter.period, counter.starts_ms] = counter.id

    def _find_entries(self, condition: str, *values: Any) -> list[Entry]:
        # What was changed already is written first, so that the database finds what holds now.
        # Only work that has the transaction for itself asks for lists: an error undoes it all.
        self._note_changes()
        self.write_changes()
        sql = select("thrifty_entries", ENTRY_COLUMNS, condition) + ORDER_BY_NUMBER
        found = [read_entry(row) for row in self._execute(sql, values).fetchall()]
        self._entries.update({(entry.account, entry.key): entry for entry in found})
        return found


def _missing_row(what: str) -> LedgerUnavailable:
    """Somebody has changed the tables by hand."""
    return LedgerUnavailable(f"{what} is missing; restore the ledger from a backup")
