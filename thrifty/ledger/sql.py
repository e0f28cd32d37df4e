"""The ledger's tables in SQL: the same statements for every database.

A transaction reads each row once, changes it in memory, and writes what has changed at its end.
So several acts in one transaction write each counter once, however often they changed it.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol

from thrifty.budget import InvalidInput, LedgerUnavailable, Spend
from thrifty.budget.periods import Period
from thrifty.budget.resources import LATENCY
from thrifty.budget.spend import SPEND_FIELDS
from thrifty.ledger.changed_rows import ChangedRows
from thrifty.ledger.protocol import Entry, Lease, Tags
from thrifty.ledger.schema import CREATE_MIGRATIONS_TABLE, MIGRATIONS, SqlDialect, split_statements
from thrifty.ledger.storage import Account, Counter

SqlRow = tuple[Any, ...]

ACCOUNT_COLUMNS = ["ancestors", "limits", "zone", "is_granted", "is_closed", "name", "id"]
COUNTER_COLUMNS = [
    *(f"{field}_{part}" for part in ("max", "spent", "reserved", "over") for field in SPEND_FIELDS),
    "notified",
    "ends_ms",
    "account",
    "period",
    "starts_ms",
    "id",
]
ENTRY_COLUMNS = [
    "status",
    *(f"charged_{field}" for field in SPEND_FIELDS),
    "answer",
    *(f"reserved_{field}" for field in SPEND_FIELDS),
    "fingerprint",
    "run",
    "label",
    "owner",
    "at_ms",
    "tags",
    "counters",
    "account",
    "key",
]
CLOSING_COLUMNS = ENTRY_COLUMNS[:6]
"""What changes of a call once it is reserved."""
LEASE_COLUMNS = ["account", "run", "owner", "fence", "since_ms"]


def _select(table: str, columns: Sequence[str], condition: str) -> str:
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}"


def _insert(table: str, columns: Sequence[str]) -> str:
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"


def _update(table: str, columns: Sequence[str], condition: str) -> str:
    changes = ", ".join(f"{column} = ?" for column in columns)
    return f"UPDATE {table} SET {changes} WHERE {condition}"


JOINED_COLUMNS = [*(f"a.{c}" for c in ACCOUNT_COLUMNS), *(f"c.{c}" for c in COUNTER_COLUMNS)]
SELECT_ACCOUNTS = _select(
    "thrifty_accounts a JOIN thrifty_counters c ON c.account = a.id",
    JOINED_COLUMNS,
    "c.period = 'run'",
)
"""Accounts, each with the counter of its whole life: nearly every act wants both."""
SELECT_NAMED = f"{SELECT_ACCOUNTS} AND a.name = ?"
SELECT_NUMBERED = f"{SELECT_ACCOUNTS} AND a.id = ?"
SELECT_ALL = f"{SELECT_ACCOUNTS} ORDER BY a.id"
INSERT_ACCOUNT = _insert("thrifty_accounts", ACCOUNT_COLUMNS[:-1]) + " RETURNING id"
UPDATE_ACCOUNT = _update("thrifty_accounts", ACCOUNT_COLUMNS[:-2], "name = ? AND id = ?")
SELECT_COUNTER = _select("thrifty_counters", COUNTER_COLUMNS, "id = ?")
SELECT_WINDOW = _select(
    "thrifty_counters", COUNTER_COLUMNS, "account = ? AND period = ? AND starts_ms = ?"
)
SELECT_MINUTES = _select(
    "thrifty_counters", COUNTER_COLUMNS, "account = ? AND period = 'minute' AND starts_ms >= ?"
)
INSERT_COUNTER = _insert("thrifty_counters", COUNTER_COLUMNS[:-1]) + " RETURNING id"
UPDATE_COUNTER = _update("thrifty_counters", COUNTER_COLUMNS[:-4], "id = ?")
SPEND_COUNTER = _update("thrifty_counters", COUNTER_COLUMNS[4:16], "id = ?")
HOLD_COUNTER = _update("thrifty_counters", COUNTER_COLUMNS[8:12], "id = ?")
"""A reservation changes nothing else, and the database checks only what a statement names."""
OF_KEY = "account = ? AND key = ?"
IS_OPEN = "answer IS NULL"
# Time is recorded and not limited.
IS_OVERRUN = "({})".format(
    " OR ".join(f"charged_{f} > reserved_{f}" for f in SPEND_FIELDS if f != LATENCY.spend_field)
)
SELECT_ENTRY = _select("thrifty_entries", ENTRY_COLUMNS, OF_KEY)
ORDER_BY_NUMBER = " ORDER BY number"
INSERT_ENTRY = _insert("thrifty_entries", ENTRY_COLUMNS)
UPDATE_ENTRY = _update("thrifty_entries", ENTRY_COLUMNS[:-2], OF_KEY)
CLOSE_ENTRY = _update("thrifty_entries", CLOSING_COLUMNS, OF_KEY)
MARK_ENTRY = _update("thrifty_entries", CLOSING_COLUMNS[:1], OF_KEY)
SELECT_LEASE = _select("thrifty_leases", LEASE_COLUMNS, "account = ? AND run = ?")
UPSERT_LEASE = (
    f"{_insert('thrifty_leases', LEASE_COLUMNS)} ON CONFLICT (account, run) DO UPDATE "
    "SET owner = excluded.owner, fence = excluded.fence, since_ms = excluded.since_ms"
)


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
        account = self.account(self._names[number])
        assert account is not None, "an account that has a number is there"
        return account

    def accounts(self) -> list[Account]:
        rows = self._execute(SELECT_ALL, ()).fetchall()
        self.note_accounts(rows)
        return [self.account_by_id(read_account(row).id) for row in rows]

    def lock(self, accounts: Collection[int]) -> None:
        """Whoever writes to an SQLite file is alone."""

    def lock_counters(self, counters: Collection[int]) -> None:
        """As `lock`."""

    def counter(self, number: int) -> Counter:
        if number not in self._counters:
            self.note_counters(self._execute(SELECT_COUNTER, (number,)).fetchall())
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
        (number,) = self._execute(INSERT_ACCOUNT, _account_row(account)[:-1]).fetchone()
        self._note_account(numbered := account._replace(id=number))
        return numbered

    def set_account(self, account: Account) -> None:
        self._put(self._accounts, account.name, account)

    def add_counter(self, counter: Counter) -> Counter:
        (number,) = self._execute(INSERT_COUNTER, _counter_row(counter)[:-1]).fetchone()
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
                yield _entry_change(before, row)
            elif rows is self._counters:
                yield _counter_change(before, row)
            elif rows is self._accounts:
                yield UPDATE_ACCOUNT, _account_row(row)
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
                self._note_counter(_read_counter(row))

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
        sql = _select("thrifty_entries", ENTRY_COLUMNS, condition) + ORDER_BY_NUMBER
        found = [read_entry(row) for row in self._execute(sql, values).fetchall()]
        self._entries.update({(entry.account, entry.key): entry for entry in found})
        return found


def migrate(execute: Execute, dialect: SqlDialect) -> None:
    """Brings the tables to the newest form. The caller keeps others from doing so meanwhile.

    Raises:
        LedgerUnavailable: a newer thrifty has written them.
    """
    for statement in split_statements(CREATE_MIGRATIONS_TABLE, dialect):
        execute(statement, ())
    row = execute("SELECT COALESCE(MAX(version), 0) FROM thrifty_migrations", ()).fetchone()
    if row[0] > len(MIGRATIONS):
        raise LedgerUnavailable(
            f"this ledger has version {row[0]}, and this thrifty knows {len(MIGRATIONS)}; "
            "upgrade thrifty"
        )
    for version in range(row[0] + 1, len(MIGRATIONS) + 1):
        for statement in split_statements(MIGRATIONS[version - 1], dialect):
            execute(statement, ())
        execute("INSERT INTO thrifty_migrations (version) VALUES (?)", (version,))


def _account_row(account: Account) -> SqlRow:
    number, name, ancestors, limits, zone, is_granted, is_closed = account
    flags = int(is_granted), int(is_closed)
    return _join_numbers(ancestors), json.dumps(limits), zone, *flags, name, number


def read_account(row: SqlRow) -> Account:
    ancestors, limits, zone, is_granted, is_closed, name, number = row[: len(ACCOUNT_COLUMNS)]
    by_period = tuple([(period, tuple(amounts)) for period, amounts in json.loads(limits)])
    above = _read_numbers(ancestors)
    return Account(number, name, above, by_period, zone, bool(is_granted), bool(is_closed))


def _counter_row(counter: Counter) -> SqlRow:
    number, account, period, starts_ms, ends_ms, limits, spent, reserved, over, notified = counter
    window = ends_ms, account, period, starts_ms
    return *limits, *spent, *reserved, *over, notified, *window, number


def _counter_change(before: Counter, counter: Counter) -> tuple[str, SqlRow]:
    """The statement that writes what has changed of a counter."""
    number, _, _, _, ends_ms, limits, spent, reserved, over, notified = counter
    if (before.ends_ms, before.limits, before.notified) != (ends_ms, limits, notified):
        row = *limits, *spent, *reserved, *over, notified, ends_ms, number
        return UPDATE_COUNTER, row
    if before.spent != spent or before.over != over:
        return SPEND_COUNTER, (*spent, *reserved, *over, number)
    return HOLD_COUNTER, (*reserved, number)


def _read_counter(row: SqlRow) -> Counter:
    notified, ends_ms, account, period, starts_ms, number = row[16:]
    amounts = row[:4], row[4:8], row[8:12], row[12:16]
    return Counter(number, account, period, starts_ms, ends_ms, *amounts, notified)


def _entry_change(before: Entry | None, entry: Entry) -> tuple[str, SqlRow]:
    """The statement that writes an entry, over what the database has of it."""
    if before is None or _asked_of(before) != _asked_of(entry):
        return INSERT_ENTRY if before is None else UPDATE_ENTRY, _entry_row(entry)
    place = entry.account, entry.key
    if before.is_open and entry.is_open:
        return MARK_ENTRY, (entry.status, *place)
    closed = entry.status, *entry.charged.amounts, _stored_answer(entry)
    return CLOSE_ENTRY, (*closed, *place)


def _asked_of(entry: Entry) -> tuple[Any, ...]:
    """All of an entry but what changes when it is sent and closed."""
    return entry[:2] + entry[3:4] + entry[6:]


def _entry_row(entry: Entry) -> SqlRow:
    key, label, status, reserved, charged, _, fingerprint, run, account, owner, at_ms, *_ = entry
    tags = json.dumps(entry.tags) if entry.tags else ""
    closing = status, *charged.amounts, _stored_answer(entry)
    rest = fingerprint, run, label, owner, at_ms, tags, _join_numbers(entry.counters)
    return *closing, *reserved.amounts, *rest, account, key


def _stored_answer(entry: Entry) -> bytes | None:
    return None if entry.is_open else entry.answer.encode("utf-8", "surrogatepass")


def read_entry(row: SqlRow) -> Entry:
    """An entry from its row.

    Raises:
        LedgerUnavailable: no ledger has written this row.
    """
    fingerprint, run, label, owner, at_ms, tags, counters, account, key = row[10:]
    try:
        charged, reserved = _read_spend(*row[1:5]), _read_spend(*row[6:10])
        answer = bytes(row[5] or b"").decode("utf-8", "surrogatepass")
        pairs, numbers = _read_tags(tags), _read_numbers(counters)
    except (InvalidInput, ValueError, TypeError) as error:
        raise LedgerUnavailable(
            f"the entry {key!r} is damaged ({error}); restore the ledger from a backup"
        ) from error
    booked = account, owner, at_ms, pairs, numbers
    return Entry(key, label, row[0], reserved, charged, answer, fingerprint, run, *booked)


def _join_numbers(numbers: tuple[int, ...]) -> str:
    """Numbers with a comma before and after each, so that LIKE finds one of them."""
    return f",{','.join(map(str, numbers))}," if numbers else ""


# The same texts and amounts come back with most entries. To read each of them once makes an entry
# in a third of the time.
@lru_cache(maxsize=4096)
def _read_numbers(text: str) -> tuple[int, ...]:
    return tuple([int(number) for number in text.split(",") if number])


@lru_cache(maxsize=4096)
def _read_tags(text: str) -> Tags:
    return tuple([(name, value) for name, value in json.loads(text)]) if text else ()


@lru_cache(maxsize=4096, typed=True)
def _read_spend(*amounts: int) -> Spend:
    return Spend(*amounts)
