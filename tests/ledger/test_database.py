"""What the databases themselves refuse, and what is done about a ledger that was tampered with."""

import sqlite3

import pytest

from tests.harness.ledger_address import open_ledger
from tests.ledger.shorthand import CALL, USED
from thrifty.budget import Budget, LedgerUnavailable, Spend
from thrifty.ledger import schema
from thrifty.ledger.schema import MIGRATIONS, SQLITE

REFUSED = [
    "UPDATE thrifty_counters SET tokens_reserved = tokens_reserved + 501",
    "UPDATE thrifty_counters SET tool_calls_spent = 3",
    "UPDATE thrifty_counters SET cost_nano_usd_max = 899",
    "UPDATE thrifty_counters SET tokens_spent = -1",
    "UPDATE thrifty_counters SET tokens_over = -1",
    "UPDATE thrifty_counters SET latency_ms_over = 1",
    "UPDATE thrifty_counters SET tokens_spent = 9223372036854775808",
    "UPDATE thrifty_counters SET tokens_spent = 'many'",
    "UPDATE thrifty_entries SET charged_tokens = 1",
    "UPDATE thrifty_entries SET status = 'in_doubt'",
    "UPDATE thrifty_entries SET status = 'free'",
    "UPDATE thrifty_entries SET account = 'nowhere'",
    "UPDATE thrifty_accounts SET is_closed = 2",
    "UPDATE thrifty_accounts SET is_granted = -1",
    "INSERT INTO thrifty_accounts (name, ancestors, limits, zone, is_granted, is_closed) "
    "SELECT name, ancestors, limits, zone, is_granted, is_closed FROM thrifty_accounts",
    "UPDATE thrifty_counters SET account = 99",
    "INSERT INTO thrifty_counters (account, period, starts_ms, ends_ms, "
    "tokens_spent, cost_nano_usd_spent, latency_ms_spent, tool_calls_spent, "
    "tokens_reserved, cost_nano_usd_reserved, latency_ms_reserved, tool_calls_reserved, "
    "tokens_over, cost_nano_usd_over, latency_ms_over, tool_calls_over, notified) "
    "SELECT account, period, starts_ms, ends_ms, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 "
    "FROM thrifty_counters",
    "INSERT INTO thrifty_leases VALUES ('nowhere', 'run', 'a', 1, 0)",
    "INSERT INTO thrifty_leases VALUES ('run', 'run', 'a', 0, 0)",
]
VERSION = (
    rf"^this ledger has version 999, and this thrifty knows {len(MIGRATIONS)}; upgrade thrifty$"
)
DAMAGED = r"^the entry 'k' is damaged \(.*\); restore the ledger from a backup$"


@pytest.fixture
def execute(address):
    """Runs a statement past the ledger, in which one call of 500 of 1,000 tokens is pending."""
    ledger = open_ledger(address)
    ledger.open("run", Budget(1_000, 0.000001, None, 2))
    ledger.reserve("run", "k", "Outline", CALL)
    if "host=" in address:
        import psycopg

        connection = psycopg.connect(address, autocommit=True)
    else:
        connection = sqlite3.connect(address, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
    yield connection.execute
    connection.close()
    ledger.disconnect()


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_refuses_what_must_not_be(execute, statement):
    """Whatever the program above it does."""
    with pytest.raises(Exception, match=r"(?i)constraint|out of range|invalid input|cannot store"):
        execute(statement)


def test_limits_are_held_to_the_last_unit(execute):
    """What fits exactly is let through."""
    execute("UPDATE thrifty_counters SET tokens_reserved = 1000, tool_calls_reserved = 2")


def test_migrations_are_applied_once(execute, address):
    """In order, by whoever comes first; each is written down."""
    again = open_ledger(address)
    assert again.balance("run").reserved == CALL
    again.disconnect()
    versions = execute("SELECT version FROM thrifty_migrations ORDER BY version").fetchall()
    assert [version for (version,) in versions] == list(range(1, len(MIGRATIONS) + 1))


def test_migrations_are_applied_in_their_order_from_where_the_books_stand(monkeypatch):
    """Those that are applied already are not applied again."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables = "SELECT name FROM sqlite_master WHERE name LIKE 'made_%' ORDER BY rootpage"
    made = []
    for name in ("b", "a", "c"):
        made.append(f"CREATE TABLE made_{name} (x $integer); INSERT INTO made_b VALUES (7)")
        monkeypatch.setattr(schema, "MIGRATIONS", tuple(made))
        schema.migrate(connection.execute, SQLITE)
    assert connection.execute(tables).fetchall() == [("made_b",), ("made_a",), ("made_c",)]
    assert connection.execute("SELECT x FROM made_b").fetchall() == [(7,)] * 3
    versions = connection.execute("SELECT version FROM thrifty_migrations").fetchall()
    assert versions == [(1,), (2,), (3,)]
    connection.close()


def test_books_of_a_newer_thrifty_are_left_alone(execute, address):
    """What is not understood is not written."""
    execute("INSERT INTO thrifty_migrations (version) VALUES (999)")
    ledger = open_ledger(address)
    with pytest.raises(LedgerUnavailable, match=VERSION):
        ledger.reserve("run", "l", "Outline", CALL)
    ledger.disconnect()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE thrifty_counters SET tokens_reserved = 1",
        "UPDATE thrifty_entries SET reserved_tokens = 1",
        "DELETE FROM thrifty_entries",
    ],
)
def test_books_that_do_not_add_up_are_refused(execute, address, statement):
    """Somebody has changed them by hand; the bill is not shown as if it were true."""
    execute(statement)
    ledger = open_ledger(address)
    with pytest.raises(LedgerUnavailable, match="do not add up"):
        ledger.entries("run")
    ledger.disconnect()


def test_an_entry_that_no_ledger_wrote_is_refused(execute, address):
    """An amount beyond all that a ledger writes is no amount."""
    execute("UPDATE thrifty_entries SET reserved_latency_ms = 9000000000000000000")
    ledger = open_ledger(address)
    with pytest.raises(LedgerUnavailable, match=DAMAGED):
        ledger.settle("run", "k", USED)
    ledger.disconnect()


def test_a_ledger_can_be_used_again_after_it_was_closed(execute, address):
    """Closing gives back files and connections, and loses nothing."""
    ledger = open_ledger(address)
    ledger.disconnect()
    assert ledger.settle("run", "k", Spend(1)).charged == Spend(1)
    ledger.disconnect()
    ledger.disconnect()
