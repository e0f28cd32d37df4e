"""The statements of a ledger in SQL, the same for every database, with `?` for each value."""

from collections.abc import Sequence

from thrifty.budget.resources import LATENCY
from thrifty.budget.spend import SPEND_FIELDS

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


def select(table: str, columns: Sequence[str], condition: str) -> str:
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}"


def _insert(table: str, columns: Sequence[str]) -> str:
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"


def _update(table: str, columns: Sequence[str], condition: str) -> str:
    changes = ", ".join(f"{column} = ?" for column in columns)
    return f"UPDATE {table} SET {changes} WHERE {condition}"


JOINED_COLUMNS = [*(f"a.{c}" for c in ACCOUNT_COLUMNS), *(f"c.{c}" for c in COUNTER_COLUMNS)]
SELECT_ACCOUNTS = select(
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
SELECT_COUNTER = select("thrifty_counters", COUNTER_COLUMNS, "id = ?")
SELECT_WINDOW = select(
    "thrifty_counters", COUNTER_COLUMNS, "account = ? AND period = ? AND starts_ms = ?"
)
SELECT_MINUTES = select(
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
SELECT_ENTRY = select("thrifty_entries", ENTRY_COLUMNS, OF_KEY)
ORDER_BY_NUMBER = " ORDER BY number"
INSERT_ENTRY = _insert("thrifty_entries", ENTRY_COLUMNS)
UPDATE_ENTRY = _update("thrifty_entries", ENTRY_COLUMNS[:-2], OF_KEY)
CLOSE_ENTRY = _update("thrifty_entries", CLOSING_COLUMNS, OF_KEY)
MARK_ENTRY = _update("thrifty_entries", CLOSING_COLUMNS[:1], OF_KEY)
SELECT_LEASE = select("thrifty_leases", LEASE_COLUMNS, "account = ? AND run = ?")
UPSERT_LEASE = (
    f"{_insert('thrifty_leases', LEASE_COLUMNS)} ON CONFLICT (account, run) DO UPDATE "
    "SET owner = excluded.owner, fence = excluded.fence, since_ms = excluded.since_ms"
)
