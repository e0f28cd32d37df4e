"""The ledger's rows in PostgreSQL, within one transaction that writes.

The row of an account's `run` counter is the lock for all that belongs to the account: its limits,
its place, its counters, its entries and its leases. A transaction locks all that it needs at its
beginning, in one statement and in one order, so that no two of them wait for each other. It reads
afterwards, and by then nobody else changes what it reads. Work that turns out to need more locks
is done anew in a transaction that has them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from thrifty.budget import LedgerUnavailable
from thrifty.budget.periods import Period
from thrifty.ledger import sql_rows, sql_statements
from thrifty.ledger.postgres_connections import import_driver, make_execute
from thrifty.ledger.postgres_pipeline import StatementPipeline
from thrifty.ledger.records import Entry, Lease
from thrifty.ledger.sql import SqlTables
from thrifty.ledger.sql_rows import SqlRow
from thrifty.ledger.sql_statements import COUNTER_COLUMNS, ENTRY_COLUMNS, LEASE_COLUMNS
from thrifty.ledger.storage import Account, CallNames, Counter

if TYPE_CHECKING:
    import psycopg

ACCOUNTS_KNOWN_MAX = 20_000
MINUTE_READ_MS = 80_000
"""How far back the windows of minutes are read at once: more than a minute's limit counts."""

NOW = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
BEGIN = "BEGIN"
COMMIT = "COMMIT"
SELECT_CLOCK = f"SELECT {NOW}"
LOCK_ACCOUNTS = (
    "SELECT account FROM thrifty_counters WHERE account = ANY(?) AND period = 'run' "
    "ORDER BY account DESC FOR NO KEY UPDATE"
)
SELECT_UNLOCKED = (
    "SELECT account FROM thrifty_counters WHERE account = ANY(?) AND period = 'run' "
    "FOR NO KEY UPDATE SKIP LOCKED"
)
SELECT_BY_NAMES = f"{sql_statements.SELECT_ACCOUNTS} AND a.name = ANY(?)"
SELECT_LOCKED = f"{sql_statements.SELECT_ACCOUNTS} AND a.id = ANY(?)".replace(
    " FROM", f", {NOW} FROM", 1
)
SELECT_COUNTERS = f"SELECT {', '.join(COUNTER_COLUMNS)} FROM thrifty_counters WHERE id = ANY(?)"
SELECT_LAST_WINDOWS = (
    f"SELECT {', '.join(f'c.{column}' for column in COUNTER_COLUMNS)} "
    "FROM unnest(?::bigint[], ?::text[]) AS wanted (account, period) CROSS JOIN LATERAL ("
    "SELECT * FROM thrifty_counters WHERE account = wanted.account AND period = wanted.period "
    "ORDER BY starts_ms DESC LIMIT 1) AS c"
)
SELECT_LAST_MINUTES = (
    f"SELECT {', '.join(COUNTER_COLUMNS)} FROM thrifty_counters WHERE account = ANY(?) "
    f"AND period = 'minute' AND starts_ms >= COALESCE(?::bigint, {NOW}) - {MINUTE_READ_MS}"
)
SELECT_ENTRIES = (
    f"SELECT {', '.join(f'e.{column}' for column in ENTRY_COLUMNS)} FROM thrifty_entries e "
    "JOIN unnest(?::text[], ?::text[]) AS wanted (account, key) USING (account, key)"
)
SELECT_LEASES = (
    f"SELECT {', '.join(f'l.{column}' for column in LEASE_COLUMNS)} FROM thrifty_leases l "
    "JOIN unnest(?::text[], ?::text[]) AS wanted (account, run) USING (account, run)"
)


class KnownAccounts:
    """Accounts as this process has last seen them, by which it knows what to lock and to read.

    Others may have changed them since, which is seen once they are locked and read.
    """

    def __init__(self) -> None:
        self._paths: dict[str, tuple[int, ...]] = {}
        self._windows: dict[int, tuple[Period, ...]] = {}
        """The periods beside `run` of those accounts that have some."""

    def note(self, account: Account) -> None:
        if len(self._paths) >= ACCOUNTS_KNOWN_MAX:
            self._paths.clear()
            self._windows.clear()
        self._paths[account.name] = account.path
        if len(account.limits) > 1:
            self._windows[account.id] = tuple([period for period, _ in account.limits[1:]])
        else:
            self._windows.pop(account.id, None)

    def path(self, name: str) -> tuple[int, ...] | None:
        """The numbers of the account and of those above it. None where it was never seen."""
        return self._paths.get(name)

    def windows(self, accounts: Iterable[int]) -> list[tuple[int, Period]]:
        """Accounts, by number, with each of the periods for which they have windows."""
        found = [(number, self._windows.get(number, ())) for number in accounts]
        return [(number, period) for number, periods in found for period in periods]


class LocksMissing(Exception):
    """Some work needs locks that its transaction does not have."""

    def __init__(self, accounts: Iterable[int]) -> None:
        self.accounts = frozenset(accounts)
        super().__init__(self.accounts)


class PostgresTables(SqlTables):
    """The rows that a transaction may change.

    Args:
        connection: one outside of any transaction.
        known: accounts as they were last seen.
        clock: the time, in milliseconds since 1970. None asks the database.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        known: KnownAccounts,
        clock: Callable[[], int] | None,
    ) -> None:
        super().__init__(make_execute(connection), self._read_clock)
        self._connection, self._known, self._given_clock = connection, known, clock
        self._begun_ms: int | None = None
        self.locked: set[int] = set()
        """The accounts that nobody else changes until the end."""
        self._minutes: dict[int, list[int]] = {}
        """The numbers of the windows of minutes that were read, by account."""

    def begin(
        self,
        calls: Sequence[CallNames] = (),
        locks: Iterable[int] = (),
        lock_wait_ms: int | None = None,
    ) -> None:
        """Begins the transaction, locks, and reads what the calls need, all in one round trip.

        Args:
            calls: whose accounts are to be locked, and what is to be read.
            locks: more accounts that are to be locked.
            lock_wait_ms: how long to wait for a lock, where it is not as long as ever.
        """
        names = {call.account for call in calls}
        self._find_unknown(names)
        self.locked = {n for name in names for n in self._known.path(name) or ()}.union(locks)
        pipeline = StatementPipeline(self._connection)
        pipeline.add(BEGIN)
        if lock_wait_ms is not None:
            pipeline.add(f"SET LOCAL lock_timeout = {lock_wait_ms}")
        if self.locked:
            self._add_accounts(pipeline, sorted(self.locked))
        if calls:
            keys = {(call.account, call.key) for call in calls}
            runs = {(call.account, call.run) for call in calls}
            pipeline.add(SELECT_ENTRIES, _columns(keys), partial(self._note_entries, keys))
            pipeline.add(SELECT_LEASES, _columns(runs), partial(self._note_leases, runs))
        pipeline.run()
        entries = [entry for entry in self._entries.values() if entry is not None]
        self._read_counters({number for entry in entries for number in entry.counters})

    def _add_accounts(self, pipeline: StatementPipeline, locked: list[int]) -> None:
        """Adds statements that lock accounts, and then read them and their current windows."""
        pipeline.add(LOCK_ACCOUNTS, (locked,))
        windows = self._known.windows(locked)
        if others := [window for window in windows if window[1] != "minute"]:
            pipeline.add(SELECT_LAST_WINDOWS, _columns(others), self.note_counters)
        if minutes := [number for number, period in windows if period == "minute"]:
            # Before the clock is read, since that says how far back they were read.
            self._minutes = {number: [] for number in minutes}
            given_ms = self._given_clock() if self._given_clock else None
            pipeline.add(SELECT_LAST_MINUTES, (minutes, given_ms), self.note_counters)
        pipeline.add(SELECT_LOCKED, (locked,), self._note_locked)

    def account(self, name: str) -> Account | None:
        account = super().account(name)
        if account is not None:
            self.lock(account.path)
        return account

    def lock(self, accounts: Collection[int]) -> None:
        if not self.locked.issuperset(accounts):
            raise LocksMissing(accounts)

    def lock_counters(self, counters: Collection[int]) -> None:
        self._read_counters(counters)
        self.lock([self._counters[number].account for number in counters])

    def entry(self, account: str, key: str) -> Entry | None:
        entry = super().entry(account, key)
        if entry is not None:
            # Where an account was moved, its old calls are still booked in its old place.
            self.lock_counters(entry.counters)
        return entry

    def minute_counters(self, account: int, starts_from_ms: int) -> list[Counter]:
        if account not in self._minutes or starts_from_ms < self.now_ms() - MINUTE_READ_MS:
            return super().minute_counters(account, starts_from_ms)
        found = [self._counters[number] for number in self._minutes[account]]
        return [counter for counter in found if counter.starts_ms >= starts_from_ms]

    def add_account(self, account: Account) -> Account:
        added = super().add_account(account)
        self.locked.add(added.id)  # nobody else sees it yet
        return added

    def commit_changes(self) -> None:
        """Writes what was changed and commits it, in one round trip."""
        pipeline = StatementPipeline(self._connection)
        for statement, row in self.changes():
            pipeline.add(statement, row)
        pipeline.add(COMMIT)
        if (said := pipeline.run()) != COMMIT:
            raise import_driver().OperationalError(f"instead of a commit there was a {said}")

    def _read_clock(self) -> int:
        if self._given_clock:
            return self._given_clock()
        if self._begun_ms is None:
            (self._begun_ms,) = self._execute(SELECT_CLOCK, ()).fetchone()
        return self._begun_ms

    def _find_unknown(self, names: set[str]) -> None:
        if unknown := [name for name in names if self._known.path(name) is None]:
            for row in self._execute(SELECT_BY_NAMES, (unknown,)).fetchall():
                self._known.note(sql_rows.read_account(row))

    def _note_locked(self, rows: Sequence[SqlRow]) -> None:
        self.note_accounts([row[:-1] for row in rows])
        if rows:
            self._begun_ms = rows[0][-1]

    def _read_counters(self, numbers: Collection[int]) -> None:
        if unread := [number for number in numbers if number not in self._counters]:
            self.note_counters(self._execute(SELECT_COUNTERS, (unread,)).fetchall())

    def _note_entries(self, keys: set[tuple[str, str]], rows: Iterable[SqlRow]) -> None:
        self._entries.update(dict.fromkeys(keys))
        for row in rows:
            try:
                entry = sql_rows.read_entry(row)
            except LedgerUnavailable:
                del self._entries[row[-2], row[-1]]  # who asks for this one will be told
            else:
                self._entries[entry.account, entry.key] = entry

    def _note_leases(self, runs: set[tuple[str, str]], rows: Iterable[SqlRow]) -> None:
        self._leases.update(dict.fromkeys(runs))
        self._leases.update({(row[0], row[1]): Lease(*row) for row in rows})

    def _note_account(self, account: Account) -> None:
        super()._note_account(account)
        self._known.note(account)

    def _note_counter(self, counter: Counter) -> None:
        super()._note_counter(counter)
        if counter.period == "minute" and counter.account in self._minutes:
            self._minutes[counter.account].append(counter.id)


def _columns(pairs: Iterable[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    first, second = zip(*pairs, strict=True)
    return list(first), list(second)
