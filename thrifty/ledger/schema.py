"""The tables of a ledger in a database, as numbered migrations for every dialect.

The database itself refuses what must not be: a reservation beyond a limit, an amount below
zero or beyond 2^63, a call in doubt that is not charged in full. `over` is zero but after an
overrun or a lowered limit, and no reservation writes it, so that the check on spent and
reserved holds whatever the program above it does. An entry has no `answer` while it is open, and
an empty one where it is closed without: so to mark it as sent leaves the index of the open ones
alone, which takes a sixth off the time of a call.
"""

from collections.abc import Mapping
from string import Template

from thrifty.budget import LedgerUnavailable
from thrifty.ledger.sql import Execute

SqlDialect = Mapping[str, str]
"""What a database calls a signed `integer` of 64 bits, a `binary` string (an answer may hold
characters that a database does not take as text), a `serial` key that grows with each row, and
the clause that makes a table `strict`: its columns hold nothing but their own type."""

SQLITE = {
    "integer": "INTEGER",
    "binary": "BLOB",
    "serial": "INTEGER PRIMARY KEY",
    "strict": "STRICT",
}
POSTGRES = {
    "integer": "BIGINT",
    "binary": "BYTEA",
    "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "strict": "",
}

CREATE_MIGRATIONS_TABLE = (
    "CREATE TABLE IF NOT EXISTS thrifty_migrations (version $integer PRIMARY KEY) $strict"
)

MIGRATIONS = (
    """
CREATE TABLE thrifty_accounts (
    id $serial,
    name TEXT NOT NULL UNIQUE,
    ancestors TEXT NOT NULL,
    limits TEXT NOT NULL,
    zone TEXT NOT NULL,
    is_granted $integer NOT NULL CHECK (is_granted IN (0, 1)),
    is_closed $integer NOT NULL CHECK (is_closed IN (0, 1))
) $strict;

CREATE TABLE thrifty_counters (
    id $serial,
    account $integer NOT NULL REFERENCES thrifty_accounts (id),
    period TEXT NOT NULL,
    starts_ms $integer NOT NULL,
    ends_ms $integer NOT NULL,
    tokens_max $integer CHECK (tokens_max >= 0),
    cost_nano_usd_max $integer CHECK (cost_nano_usd_max >= 0),
    latency_ms_max $integer CHECK (latency_ms_max >= 0),
    tool_calls_max $integer CHECK (tool_calls_max >= 0),
    tokens_spent $integer NOT NULL CHECK (tokens_spent >= 0),
    cost_nano_usd_spent $integer NOT NULL CHECK (cost_nano_usd_spent >= 0),
    latency_ms_spent $integer NOT NULL CHECK (latency_ms_spent >= 0),
    tool_calls_spent $integer NOT NULL CHECK (tool_calls_spent >= 0),
    tokens_reserved $integer NOT NULL CHECK (tokens_reserved >= 0),
    cost_nano_usd_reserved $integer NOT NULL CHECK (cost_nano_usd_reserved >= 0),
    latency_ms_reserved $integer NOT NULL CHECK (latency_ms_reserved >= 0),
    tool_calls_reserved $integer NOT NULL CHECK (tool_calls_reserved >= 0),
    tokens_over $integer NOT NULL CHECK (tokens_over >= 0),
    cost_nano_usd_over $integer NOT NULL CHECK (cost_nano_usd_over >= 0),
    latency_ms_over $integer NOT NULL CHECK (latency_ms_over = 0),
    tool_calls_over $integer NOT NULL CHECK (tool_calls_over >= 0),
    notified $integer NOT NULL,
    UNIQUE (account, period, starts_ms),
    CHECK (tokens_spent + tokens_reserved <= tokens_max + tokens_over),
    CHECK (cost_nano_usd_spent + cost_nano_usd_reserved <= cost_nano_usd_max + cost_nano_usd_over),
    CHECK (tool_calls_spent + tool_calls_reserved <= tool_calls_max + tool_calls_over)
) $strict;

CREATE TABLE thrifty_entries (
    number $serial,
    account TEXT NOT NULL REFERENCES thrifty_accounts (name),
    key TEXT NOT NULL,
    label TEXT NOT NULL,
    status TEXT NOT NULL,
    reserved_tokens $integer NOT NULL CHECK (reserved_tokens >= 0),
    reserved_cost_nano_usd $integer NOT NULL CHECK (reserved_cost_nano_usd >= 0),
    reserved_latency_ms $integer NOT NULL CHECK (reserved_latency_ms >= 0),
    reserved_tool_calls $integer NOT NULL CHECK (reserved_tool_calls >= 0),
    charged_tokens $integer NOT NULL CHECK (charged_tokens >= 0),
    charged_cost_nano_usd $integer NOT NULL CHECK (charged_cost_nano_usd >= 0),
    charged_latency_ms $integer NOT NULL CHECK (charged_latency_ms >= 0),
    charged_tool_calls $integer NOT NULL CHECK (charged_tool_calls >= 0),
    answer $binary,
    fingerprint TEXT NOT NULL,
    run TEXT NOT NULL,
    owner TEXT NOT NULL,
    at_ms $integer NOT NULL,
    tags TEXT NOT NULL,
    counters TEXT NOT NULL,
    UNIQUE (account, key),
    CHECK ((answer IS NULL) = (status = 'unsent' OR status = 'pending' OR status = 'granted')),
    CHECK (
        status = 'settled'
        OR (answer IS NULL OR status = 'released' OR status = 'returned')
        AND charged_tokens = 0 AND charged_cost_nano_usd = 0 AND charged_tool_calls = 0
        OR status = 'in_doubt'
        AND charged_tokens = reserved_tokens
        AND charged_cost_nano_usd = reserved_cost_nano_usd
        AND charged_tool_calls = reserved_tool_calls
    )
) $strict;

CREATE INDEX thrifty_open ON thrifty_entries (account) WHERE answer IS NULL;

CREATE INDEX thrifty_overruns ON thrifty_entries (account)
    WHERE charged_tokens > reserved_tokens
    OR charged_cost_nano_usd > reserved_cost_nano_usd
    OR charged_tool_calls > reserved_tool_calls;

CREATE TABLE thrifty_leases (
    account TEXT NOT NULL REFERENCES thrifty_accounts (name),
    run TEXT NOT NULL,
    owner TEXT NOT NULL,
    fence $integer NOT NULL CHECK (fence > 0),
    since_ms $integer NOT NULL,
    PRIMARY KEY (account, run)
) $strict
""",
)
"""Each is applied once, in order, in one transaction. A released one is never edited."""


def split_statements(sql: str, dialect: SqlDialect) -> list[str]:
    """The single statements of a migration, in the SQL of a dialect."""
    return [part.strip() for part in Template(sql).substitute(dialect).split(";")]


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
