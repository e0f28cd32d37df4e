"""The ledger's tables in SQL: the same statements for every database."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from thrifty.budget import InvalidInput, LedgerUnavailable, Spend
from thrifty.budget.resources import LATENCY
from thrifty.budget.spend import SPEND_FIELDS
from thrifty.ledger.protocol import Entry, Lease
from thrifty.ledger.rules import StoredAccount
from thrifty.ledger.schema import CREATE_MIGRATIONS_TABLE, MIGRATIONS, SqlDialect, split_statements

SqlRow = tuple[Any, ...]

ACCOUNT_COLUMNS = [
    *(f"{field}_{part}" for part in ("max", "spent", "reserved", "over") for field in SPEND_FIELDS),
    "parent",
    "name",
]
ENTRY_COLUMNS = [
    "status",
    *(f"{part}_{field}" for part in ("reserved", "charged") for field in SPEND_FIELDS),
    "answer",
    "fingerprint",
    "run",
    "label",
    "account",
    "key",
]
LEASE_COLUMNS = ["account", "run", "owner", "fence", "since_ms"]


def _select(table: str, columns: Sequence[str], condition: str) -> str:
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}"


def _insert(table: str, columns: Sequence[str]) -> str:
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"


def _update(table: str, columns: Sequence[str], condition: str) -> str:
    changes = ", ".join(f"{column} = ?" for column in columns)
    return f"UPDATE {table} SET {changes} WHERE {condition}"


SELECT_ACCOUNT = _select("thrifty_accounts", ACCOUNT_COLUMNS, "name = ?")
INSERT_ACCOUNT = _insert("thrifty_accounts", ACCOUNT_COLUMNS)
UPDATE_ACCOUNT = _update("thrifty_accounts", ACCOUNT_COLUMNS[:-1], "name = ?")
SELECT_ENTRIES = _select("thrifty_entries", ENTRY_COLUMNS, "account = ?")
SELECT_ENTRY = f"{SELECT_ENTRIES} AND key = ?"
AND_OPEN = " AND status IN ('unsent', 'pending', 'granted')"
# Time is recorded and not limited.
AND_OVERRUN = " AND ({})".format(
    " OR ".join(f"charged_{f} > reserved_{f}" for f in SPEND_FIELDS if f != LATENCY.spend_field)
)
ORDER_BY_NUMBER = " ORDER BY number"
INSERT_ENTRY = _insert("thrifty_entries", ENTRY_COLUMNS)
UPDATE_ENTRY = _update("thrifty_entries", ENTRY_COLUMNS[:-2], "account = ? AND key = ?")
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


class SqlTables:
    """The rows of a database, within one transaction."""

    def __init__(self, execute: Execute, lock_clause: str = "") -> None:
        self._execute = execute
        self._select_account = SELECT_ACCOUNT + lock_clause

    def account(self, name: str) -> StoredAccount | None:
        row = self._execute(self._select_account, (name,)).fetchone()
        return None if row is None else _read_account(row)

    def entry(self, account: str, key: str) -> Entry | None:
        row = self._execute(SELECT_ENTRY, (account, key)).fetchone()
        return None if row is None else _read_entry(row)

    def entries(self, account: str) -> list[Entry]:
        return self._find_entries(account)

    def open_entries(self, account: str) -> list[Entry]:
        return self._find_entries(account, AND_OPEN)

    def overruns(self, account: str) -> list[Entry]:
        return self._find_entries(account, AND_OVERRUN)

    def lease(self, account: str, run: str) -> Lease | None:
        row = self._execute(SELECT_LEASE, (account, run)).fetchone()
        return None if row is None else Lease(*row)

    def add_account(self, account: StoredAccount) -> None:
        self._execute(INSERT_ACCOUNT, _account_row(account))

    def set_account(self, account: StoredAccount) -> None:
        self._execute(UPDATE_ACCOUNT, _account_row(account))

    def add_entry(self, account: str, entry: Entry) -> None:
        self._execute(INSERT_ENTRY, _entry_row(account, entry))

    def set_entry(self, account: str, entry: Entry) -> None:
        self._execute(UPDATE_ENTRY, _entry_row(account, entry))

    def set_lease(self, lease: Lease) -> None:
        row = (lease.account, lease.run, lease.owner, lease.fence, lease.since_ms)
        self._execute(UPSERT_LEASE, row)

    def _find_entries(self, account: str, condition: str = "") -> list[Entry]:
        rows = self._execute(SELECT_ENTRIES + condition + ORDER_BY_NUMBER, (account,)).fetchall()
        return [_read_entry(row) for row in rows]


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


def _account_row(account: StoredAccount) -> SqlRow:
    name, parent, limits, spent, reserved, over = account
    return *limits, *spent, *reserved, *over, parent, name


def _read_account(row: SqlRow) -> StoredAccount:
    return StoredAccount(row[17], row[16], row[:4], row[4:8], row[8:12], row[12:16])


def _entry_row(account: str, entry: Entry) -> SqlRow:
    key, label, status, reserved, charged, answer, fingerprint, run = entry
    amounts = *reserved.amounts, *charged.amounts
    stored_answer = answer.encode("utf-8", "surrogatepass")
    return status, *amounts, stored_answer, fingerprint, run, label, account, key


def _read_entry(row: SqlRow) -> Entry:
    """An entry from its row.

    Raises:
        LedgerUnavailable: no ledger has written this row.
    """
    status, stored_answer, fingerprint, run, label, _, key = row[0], *row[9:]
    try:
        reserved, charged = Spend(*row[1:5]), Spend(*row[5:9])
        answer = bytes(stored_answer).decode("utf-8", "surrogatepass")
    except (InvalidInput, ValueError, TypeError) as error:
        raise LedgerUnavailable(
            f"the entry {key!r} is damaged ({error}); restore the ledger from a backup"
        ) from error
    return Entry(key, label, status, reserved, charged, answer, fingerprint, run)
