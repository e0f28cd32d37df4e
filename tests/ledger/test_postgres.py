"""What only a server can do: end a connection, go away, stand in another's way."""

import os
import re
import sys
import threading
import time
from contextlib import contextmanager
from decimal import Decimal

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg_pool import PoolTimeout

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget, LeaseLost, LedgerUnavailable, ReservationClosed, Spend
from thrifty.ledger import accounts
from thrifty.ledger import postgres as of_postgres
from thrifty.ledger.postgres import RETRY_PAUSE_S, TRANSACTION_ATTEMPTS_MAX, PostgresLedger


@pytest.fixture
def ledger(database):
    opened = PostgresLedger(database, wait_s=2)
    yield opened
    opened.disconnect()


@pytest.fixture
def lose_the_answer(monkeypatch):
    """Within it, one commit succeeds and its connection is lost before anybody is told."""
    commit = psycopg.Connection.commit

    @contextmanager
    def losing():
        lost = []

        def cut(connection):
            commit(connection)
            if not lost:
                lost.append(connection)
                connection.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

        with monkeypatch.context() as patched:
            patched.setattr(psycopg.Connection, "commit", cut)
            yield lost

    return losing


def test_a_lost_connection_is_replaced(ledger, database):
    """An act is tried again: under one key it is one act, whether the first was booked or not."""
    called(ledger, "k")
    with psycopg.connect(database, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    assert ledger.settle("run", "k", USED).charged == USED
    assert ledger.balance("run").spent == USED


SHARE = Budget(max_tokens=100, max_cost_usd=Decimal("0.5"), max_tool_calls=2)
ACTS = {
    "open": lambda ledger: ledger.open("new", ledger.balance("run").budget),
    "extend": lambda ledger: ledger.extend("run", Budget(max_tokens=9_000)),
    "reserve": lambda ledger: ledger.reserve("run", "new", "Outline", CALL),
    "settle": lambda ledger: ledger.settle("run", "k", USED, "the answer"),
    "charge in full": lambda ledger: ledger.charge_in_full("run", "k", 5),
    "release": lambda ledger: ledger.release("run", "k"),
    "grant": lambda ledger: ledger.grant("run", "child", SHARE),
    "take": lambda ledger: ledger.take("run", "me"),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_was_committed_as_the_connection_was_lost_is_done_once(ledger, act, lose_the_answer):
    """It is done anew, since nobody was told, and comes to the same."""
    called(ledger, "k")
    with lose_the_answer() as lost:
        ACTS[act](ledger)
    assert lost
    once = ledger.balance("run"), ledger.entries("run")
    ACTS[act](ledger)
    assert once == (ledger.balance("run"), ledger.entries("run"))


def test_a_call_that_was_marked_as_the_connection_was_lost_is_not_sent(ledger, lose_the_answer):
    """Another may have marked it between, for all that anybody knows."""
    ledger.open("run", SHARE)
    ledger.reserve("run", "k", "Outline", Spend(5), unsent=True)
    with lose_the_answer(), pytest.raises(ReservationClosed):
        ledger.mark_sent("run", "k")
    assert ledger.entry("run", "k").status == "pending"


def test_an_account_that_another_changes_is_waited_for(ledger, database):
    """One row's lock stands in nobody else's way."""
    called(ledger, "k")
    ledger.open("other", ledger.balance("run").budget)
    with psycopg.connect(database) as other:
        other.execute("SELECT * FROM thrifty_accounts WHERE name = 'run' FOR UPDATE")
        settling = threading.Thread(target=lambda: ledger.settle("run", "k", USED))
        settling.start()
        ledger.reserve("other", "k", "Outline", CALL)
        time.sleep(0.1)
        assert settling.is_alive()
    settling.join()
    assert ledger.balance("run").spent == USED


def test_who_waited_for_an_account_sees_who_took_it_meanwhile(ledger):
    """What stands beside the account is read once it is locked: a join would show it older."""
    called(ledger)
    old, asked, refused = ledger.take("run", "old"), threading.Event(), []

    def reserve():
        asked.set()
        with pytest.raises(LeaseLost):
            ledger.reserve(old, "late", "Outline", CALL)
        refused.append("late")

    def take_over(tables):
        tables.account("run")
        late.start()
        assert asked.wait(240)
        time.sleep(0.2)
        accounts.take(tables, "run", "run", "new", old.fence, 0)

    late = threading.Thread(target=reserve)
    ledger._postgres_storage.write(take_over)
    late.join(240)
    assert refused == ["late"]


def test_two_that_wait_for_each_other_both_get_through(ledger, database):
    """The server ends one of them, and it is done anew."""
    called(ledger)
    ledger.open("other", ledger.balance("run").budget)
    barrier = threading.Barrier(2)

    def crossing(first, second):
        seen = []

        def work(tables):
            tables.account(first)
            if not seen:
                seen.append(True)
                barrier.wait(240)
            return tables.account(second)

        return ledger._postgres_storage.write(work)

    threads = [
        threading.Thread(target=crossing, args=names)
        for names in (("run", "other"), ("other", "run"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert not any(thread.is_alive() for thread in threads)


def test_a_server_that_is_not_there_is_said_so(caplog):
    """Within the time given, with no secret in it, and no call may be made."""
    ledger = PostgresLedger("host=/nowhere user=u password=hush dbname=d", wait_s=0.5)
    told = (
        "the ledger's database failed (couldn't get a connection after 0.50 sec); "
        "check that it runs, has room, and lets this role write"
    )
    with pytest.raises(LedgerUnavailable, match=f"^{re.escape(told)}$") as refusal:
        ledger.balance("run")
    assert "hush" not in str(refusal.value) + caplog.text
    ledger.disconnect()


def test_a_driver_that_is_not_installed_is_said_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    remedy = 'install it with: pip install "thrifty[postgres]"'
    with pytest.raises(LedgerUnavailable, match=rf"missing \(.+\); {re.escape(remedy)}$"):
        PostgresLedger("")


def test_a_database_that_cannot_keep_every_character_is_refused(postgres):
    name = f"plain_{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    ledger = PostgresLedger(make_conninfo(postgres, dbname=name))
    try:
        with pytest.raises(LedgerUnavailable, match="has encoding SQL_ASCII; make one in UTF8"):
            called(ledger)
    finally:
        ledger.disconnect()
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def pauses(monkeypatch):
    """How long was waited, with a random share of a half each time."""
    slept = []
    monkeypatch.setattr(of_postgres.random, "random", lambda: 0.5)
    monkeypatch.setattr(of_postgres.time, "sleep", slept.append)
    return slept


def failing(ledger, error):
    """How often some work is tried that always fails in this way."""
    tried = []

    def work(tables):
        tried.append(tables)
        raise error

    with pytest.raises(
        LedgerUnavailable, match=re.escape(f"failed ({str(error).splitlines()[0]})")
    ):
        ledger._postgres_storage.write(work)
    return len(tried)


def test_what_passes_is_tried_again_with_longer_and_longer_pauses(ledger, pauses):
    called(ledger)
    lost = psycopg.OperationalError("the connection is lost\nIs the server running?")
    assert failing(ledger, lost) == TRANSACTION_ATTEMPTS_MAX
    assert pauses == [RETRY_PAUSE_S * attempt / 2 for attempt in range(1, TRANSACTION_ATTEMPTS_MAX)]


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.CheckViolation("a check failed"),
        psycopg.InterfaceError("the driver was misused"),
        PoolTimeout("nobody gave a connection back"),
    ],
)
def test_what_does_not_pass_is_tried_once(ledger, error, pauses):
    called(ledger)
    assert failing(ledger, error) == 1
    assert not pauses


def test_one_look_sees_the_books_at_one_moment(ledger):
    """What another settles between two of its questions, it does not see."""
    called(ledger, "k")

    def look(tables):
        before = tables.account("run"), tables.entry("run", "k")
        settling = threading.Thread(target=lambda: ledger.settle("run", "k", USED))
        settling.start()
        settling.join()
        return before, (tables.account("run"), tables.entry("run", "k"))

    before, after = ledger._postgres_storage.read(look)
    assert before == after
    assert ledger.entry("run", "k").status == "settled"


def test_a_change_that_is_not_finished_is_undone(ledger):
    called(ledger, "k")
    before = ledger.balance("run"), ledger.entries("run")

    def half(tables):
        tables.set_account(tables.account("run")._replace(spent=(1, 1, 1, 1)))
        raise KeyError

    with pytest.raises(KeyError):
        ledger._postgres_storage.write(half)
    assert before == (ledger.balance("run"), ledger.entries("run"))


def test_who_looks_at_an_account_to_change_it_has_it_alone(ledger):
    called(ledger)
    looked, second = [], threading.Event()

    def one(tables):
        tables.account("run")
        other.start()
        assert not second.wait(0.2)
        looked.append("first")

    def another(tables):
        tables.account("run")
        second.set()
        looked.append("second")

    other = threading.Thread(target=lambda: ledger._postgres_storage.write(another))
    ledger._postgres_storage.write(one)
    other.join(240)
    assert looked == ["first", "second"]


def test_a_ledger_keeps_one_connection_and_the_clock_that_it_is_given(database):
    ledger = PostgresLedger(database, now_ms=lambda: 7)
    called(ledger)
    assert ledger.take("run", "me").since_ms == 7
    assert ledger._postgres_storage._open_pool().get_stats()["pool_min"] == 1
    ledger.disconnect()


def test_what_is_committed_is_on_the_disk(postgres, database):
    """Also where the server's default is to answer before it is."""
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("ALTER ROLE postgres SET synchronous_commit = off")
    try:
        ledger = PostgresLedger(database)
        with ledger._postgres_storage._open_pool().connection() as connection:
            shown = connection.execute("SHOW synchronous_commit").fetchone()
        ledger.disconnect()
    finally:
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("ALTER ROLE postgres RESET synchronous_commit")
    assert shown == ("on",)
