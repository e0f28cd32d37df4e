"""What only a server can do: end a connection, go away, stand in another's way."""

import os
import random
import re
import sys
import threading
import time
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.harness.fork import fork_to
from tests.ledger.shorthand import CALL, USED, called, refused, used
from thrifty.budget import (
    AccountClosed,
    Budget,
    BudgetExceeded,
    LeaseLost,
    LedgerUnavailable,
    ReservationClosed,
    Spend,
)
from thrifty.ledger import postgres, postgres_transactions, run_leases
from thrifty.ledger.postgres import PostgresLedger
from thrifty.ledger.postgres_pipeline import StatementPipeline
from thrifty.ledger.postgres_tables import PostgresTables
from thrifty.ledger.postgres_transactions import RETRY_PAUSE_S, TRANSACTION_ATTEMPTS_MAX
from thrifty.ledger.storage import CallNames

LOCK_ACCOUNT = (
    "SELECT * FROM thrifty_counters WHERE period = 'run' AND account = "
    "(SELECT id FROM thrifty_accounts WHERE name = %s) FOR UPDATE"
)
LONG_S = 240


@pytest.fixture
def ledger(database):
    opened = PostgresLedger(database, wait_s=2)
    yield opened
    opened.disconnect()


@pytest.fixture
def another(database):
    """The ledger as another process has it."""
    opened = PostgresLedger(database)
    yield opened
    opened.disconnect()


@pytest.fixture
def lose_the_answer(monkeypatch):
    """Within it, one commit succeeds and its connection is lost before anybody is told."""
    commit = PostgresTables.commit_changes

    @contextmanager
    def losing():
        lost = []

        def cut(tables):
            commit(tables)
            if not lost:
                lost.append(tables)
                tables._connection.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

        with monkeypatch.context() as patched:
            patched.setattr(PostgresTables, "commit_changes", cut)
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
    "open below": lambda ledger: ledger.open("new", SHARE, parent="run"),
    "set limits": lambda ledger: ledger.set_limits("run", "9k tokens, 5k tokens a day"),
    "move": lambda ledger: ledger.move("run", None),
    "close": lambda ledger: ledger.close("run"),
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
    once = ledger.balance("run"), ledger.entries("run"), ledger.accounts()
    ACTS[act](ledger)
    assert once == (ledger.balance("run"), ledger.entries("run"), ledger.accounts())


def test_a_call_that_was_marked_as_the_connection_was_lost_is_not_sent(ledger, lose_the_answer):
    """Another may have marked it between, for all that anybody knows."""
    ledger.open("run", SHARE)
    ledger.reserve("run", "k", "Outline", Spend(5), unsent=True)
    with lose_the_answer(), pytest.raises(ReservationClosed):
        ledger.mark_sent("run", "k")
    assert ledger.entry("run", "k").status == "pending"


@contextmanager
def held(database, account):
    """Somebody stands still in a transaction that has locked an account."""
    with psycopg.connect(database) as other:
        other.execute(LOCK_ACCOUNT, (account,))
        yield


def test_an_account_that_another_holds_is_waited_for_by_its_own_calls_alone(ledger, database):
    """Calls on other accounts, other acts and looks go on, however many wait for this one."""
    called(ledger, *"abcdefghijkl")
    ledger.open("other", ledger.balance("run").budget)
    with held(database, "run"):
        waiting = [
            threading.Thread(target=ledger.settle, args=("run", key, USED)) for key in "abcdefghij"
        ]
        waiting += [
            threading.Thread(
                target=ledger.open, args=(f"child {i}", SHARE), kwargs={"parent": "run"}
            )
            for i in range(10)
        ]
        for thread in waiting:
            thread.start()
        for i in range(5):
            ledger.reserve("other", f"k{i}", "Outline", CALL)
            ledger.set_limits("other", Budget(max_tokens=10_000 + i))
            assert ledger.balance("run").spent == Spend()
        assert all(thread.is_alive() for thread in waiting)
    for thread in waiting:
        thread.join(LONG_S)
    assert ledger.balance("run").spent.tokens == 10 * USED.tokens
    assert len(ledger.accounts()) == 12


@pytest.mark.parametrize(
    "act",
    [
        lambda ledger: ledger.settle("run", "k", USED),
        lambda ledger: ledger.close("run"),
    ],
)
def test_nobody_waits_for_ever(ledger, database, act, monkeypatch):
    called(ledger, "k")
    monkeypatch.setattr(postgres, "BLOCKED_WAIT_S", 0)
    monkeypatch.setattr(postgres_transactions, "LONG_LOCK_WAIT_MS", 10)
    with held(database, "run"), pytest.raises(LedgerUnavailable, match="has held the account"):
        act(ledger)
    assert ledger.balance("run").spent == Spend()


def test_a_call_below_an_account_that_another_holds_waits_too(ledger, database):
    ledger.open("team", Budget(max_tokens=1_000))
    ledger.open("run", Budget(), parent="team")
    with held(database, "team"):
        reserving = threading.Thread(target=ledger.reserve, args=("run", "k", "Outline", CALL))
        reserving.start()
        time.sleep(0.5)
        assert reserving.is_alive()
    reserving.join(LONG_S)
    assert ledger.balance("team").reserved == CALL


def test_who_waited_for_an_account_sees_who_took_it_meanwhile(ledger):
    """What stands beside the account is read once it is locked: a join would show it older."""
    called(ledger)
    old, asked, refusals = ledger.take("run", "old"), threading.Event(), []

    def reserve():
        asked.set()
        with pytest.raises(LeaseLost):
            ledger.reserve(old, "late", "Outline", CALL)
        refusals.append("late")

    def take_over(tables):
        tables.account("run")
        late.start()
        assert asked.wait(LONG_S)
        time.sleep(0.2)
        run_leases.take(tables, "run", "run", "new", old.fence)

    late = threading.Thread(target=reserve)
    ledger._storage.write(take_over)
    late.join(LONG_S)
    assert refusals == ["late"]


def test_two_that_want_the_same_locks_in_another_order_both_get_through(ledger, database):
    """Each takes all its locks at once, in the one order that there is: no deadlock."""
    called(ledger)
    ledger.open("other", ledger.balance("run").budget)
    barrier = threading.Barrier(2)

    def crossing(first, second):
        seen = []

        def work(tables):
            tables.account(first)
            if not seen:
                seen.append(True)
                barrier.wait(LONG_S)
            return tables.account(second)

        return ledger._storage.write(work)

    before = deadlocks(database)
    threads = [
        threading.Thread(target=crossing, args=names)
        for names in (("run", "other"), ("other", "run"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    assert not any(thread.is_alive() for thread in threads)
    assert deadlocks(database) == before


def deadlocks(database):
    """How many deadlocks the server has ended so far."""
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_stat_force_next_flush()")
        return other.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchone()[0]


def test_a_call_is_booked_where_another_process_has_moved_its_account(ledger, another):
    """What this process knows of the account is older: it sees that once it has the locks."""
    for name in ("old", "new"):
        ledger.open(name, Budget())
    ledger.open("run", Budget(), parent="old")
    ledger.reserve("run", "before", "Outline", CALL)
    another.move("run", "new")
    ledger.reserve("run", "after", "Outline", CALL)
    ledger.settle("run", "before", USED)
    assert used(ledger, "old") == {("old", "run"): (USED.tokens, 0)}
    assert used(ledger, "new") == {("new", "run"): (0, CALL.tokens)}
    assert ledger.entries("old", below=True)[0].charged == USED


def test_limits_that_another_process_has_set_hold_at_once(ledger, another):
    called(ledger, "k")
    another.set_limits("run", "10k tokens, 800 tokens a minute, 700 tokens a day")
    assert refused(ledger, "run", 201)[:2] == ("run", "day")
    ledger.settle("run", "k", USED)
    assert refused(ledger, "run", 401)[:2] == ("run", "day")
    another.set_limits("run", "10k tokens, 600 tokens a minute, 900 tokens a day")
    assert refused(ledger, "run", 301)[:2] == ("run", "minute")
    ledger.reserve("run", "fits", "Outline", Spend(300))
    another.close("run")
    with pytest.raises(AccountClosed):
        ledger.reserve("run", "late", "Outline", CALL)


def test_the_clock_is_the_databases(ledger, database):
    """Within the transaction, once the locks are held."""
    now = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    called(ledger)
    with psycopg.connect(database, autocommit=True) as other:
        (before_ms,) = other.execute(now).fetchone()
        entry = ledger.reserve("run", "k", "Outline", CALL)
        (after_ms,) = other.execute(now).fetchone()
    assert before_ms <= entry.at_ms <= after_ms


def test_one_caller_has_one_connection(database):
    ledger = PostgresLedger(database, now_ms=lambda: 7)
    called(ledger, "k")
    ledger.settle("run", "k", USED)
    assert ledger.take("run", "me").since_ms == 7
    assert len(connections(ledger)._open) == 1
    ledger.disconnect()
    assert not connections(ledger)._open
    assert ledger.balance("run").spent == USED
    ledger.disconnect()


def connections(ledger):
    return ledger._storage._transactions._connections


def in_one_batch(ledger, acts):
    """What comes of acts that wait until one before them is done, and then share a transaction."""
    results, begun, goes_on = [None] * len(acts), threading.Event(), threading.Event()

    def first(tables):
        begun.set()
        assert goes_on.wait(LONG_S)

    def do(number):
        try:
            results[number] = acts[number]()
        except Exception as error:  # noqa: BLE001 - told to the test
            results[number] = error

    holding = threading.Thread(
        target=ledger._storage.write, args=(first, CallNames("run", "run", "first"))
    )
    holding.start()
    assert begun.wait(LONG_S)
    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    queue = ledger._storage._calls._workplace.items
    while queue.qsize() < len(acts):
        time.sleep(0.01)
    goes_on.set()
    for thread in [holding, *threads]:
        thread.join(LONG_S)
    return results


@pytest.fixture
def commits(monkeypatch):
    """The tables of each transaction that was committed."""
    commit, seen = PostgresTables.commit_changes, []

    def note(tables):
        commit(tables)
        seen.append(tables)

    monkeypatch.setattr(PostgresTables, "commit_changes", note)
    return seen


def test_calls_that_wait_share_a_transaction_and_fail_alone(ledger, another, commits):
    """Also one whose account moved meanwhile, which needs other locks and comes after."""
    called(ledger, "a", "b")
    ledger.open("team", Budget())
    ledger.open("moved", Budget())
    ledger.reserve("moved", "k", "Outline", CALL)
    another.move("moved", "team")
    commits.clear()
    results = in_one_batch(
        ledger,
        [
            lambda: ledger.settle("run", "a", USED),
            lambda: ledger.settle("run", "unknown", USED),
            lambda: ledger.release("run", "b"),
            lambda: ledger.reserve("run", "large", "Outline", Spend(10_000)),
            lambda: ledger.reserve("nobody", "k", "Outline", CALL),
            lambda: ledger.reserve("moved", "new", "Outline", CALL),
        ],
    )
    assert [type(r) for r in results if isinstance(r, Exception)] == [
        ReservationClosed,
        BudgetExceeded,
        KeyError,
    ]
    assert len(commits) == 3, "the first, the shared one, and that with more locks"
    assert ledger.balance("run").spent == USED
    assert ledger.balance("run").reserved == Spend()
    assert used(ledger, "moved") == {("moved", "run"): (0, 1000), ("team", "run"): (0, 500)}


def test_what_no_database_can_store_fails_alone(ledger):
    called(ledger, "a", "b")
    results = in_one_batch(
        ledger,
        [
            lambda: ledger.settle("run", "a", USED),
            lambda: ledger.settle("run", "no\0key", USED),
            lambda: ledger.settle("run", "b", USED),
        ],
    )
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert ledger.balance("run").spent == USED + USED


def test_answers_that_fill_every_buffer_come_through(ledger):
    """Both sides have more to send than the system keeps for them."""
    ledger.open("run", Budget())
    keys = [f"k{i}" for i in range(20)]
    answer = "ü" * 1_000_000
    for key in keys:
        ledger.reserve("run", key, "Outline", CALL)
    in_one_batch(ledger, [lambda k=k: ledger.settle("run", k, USED, answer) for k in keys])
    again = in_one_batch(ledger, [lambda k=k: ledger.settle("run", k, USED, "") for k in keys])
    assert {entry.answer for entry in again} == {answer}


def test_an_error_among_statements_leaves_the_connection_usable(ledger):
    called(ledger)
    with connections(ledger).lend() as connection:
        for _ in range(2):
            pipeline = StatementPipeline(connection)
            pipeline.add("SELECT 1")
            pipeline.add("SELECT 1 / 0")
            pipeline.add("SELECT 2")
            with pytest.raises(psycopg.errors.DivisionByZero):
                pipeline.run()
        rows = []
        pipeline = StatementPipeline(connection)
        pipeline.add("SELECT ?::bigint, ?::text", (2**62, "'{\"\\"), rows.extend)
        assert pipeline.run() == "SELECT 1"
        assert rows == [(2**62, "'{\"\\")]


def test_a_connection_that_is_lost_among_statements_is_told(ledger):
    called(ledger)
    with connections(ledger).lend() as connection, suppress(psycopg.Error):
        pipeline = StatementPipeline(connection)
        pipeline.add("SELECT pg_terminate_backend(pg_backend_pid())")
        pipeline.add("SELECT 1")
        with pytest.raises(psycopg.OperationalError) as lost:
            pipeline.run()
        assert postgres_transactions._is_transient(lost.value)
        assert connection.closed
    called(ledger)


def test_a_server_that_is_not_there_is_said_so(caplog):
    """Within the time given, with no secret in it, and no call may be made."""
    ledger = PostgresLedger("host=/nowhere user=u password=hush dbname=d", wait_s=0.5)
    told = r"the ledger's database failed \(.+\); check that it runs, has room, and lets this role"
    for _ in range(2):
        with pytest.raises(LedgerUnavailable, match=f"^{told} write$") as refusal:
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
    monkeypatch.setattr(postgres_transactions.random, "random", lambda: 0.5)
    monkeypatch.setattr(postgres_transactions.time, "sleep", slept.append)
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
        ledger._storage.write(work)
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
    ],
)
def test_what_does_not_pass_is_tried_once(ledger, error, pauses):
    called(ledger)
    assert failing(ledger, error) == 1
    assert not pauses


def test_one_look_sees_the_tables_at_one_moment(ledger):
    """What another settles between two of its questions, it does not see."""
    called(ledger, "k")

    def look(tables):
        before = tables.counter(1), tables.entry("run", "k")
        settling = threading.Thread(target=lambda: ledger.settle("run", "k", USED))
        settling.start()
        settling.join()
        tables.forget()
        return before, (tables.counter(1), tables.entry("run", "k"))

    before, after = ledger._storage.read(look)
    assert before == after
    assert ledger.entry("run", "k").status == "settled"


def test_a_change_that_is_not_finished_is_undone(ledger):
    called(ledger, "k")
    before = ledger.balance("run"), ledger.entries("run"), ledger.accounts()

    def half(tables):
        account = tables.account("run")
        tables.set_account(account._replace(is_closed=True))
        tables.add_account(account._replace(name="another"))
        raise KeyError

    with pytest.raises(KeyError):
        ledger._storage.write(half)
    assert before == (ledger.balance("run"), ledger.entries("run"), ledger.accounts())


def test_who_looks_at_an_account_to_change_it_has_it_alone(ledger):
    called(ledger)
    looked, second = [], threading.Event()

    def one(tables):
        tables.account("run")
        other.start()
        assert not second.wait(0.2)
        looked.append("first")

    def later(tables):
        tables.account("run")
        second.set()
        looked.append("second")

    other = threading.Thread(target=lambda: ledger._storage.write(later))
    ledger._storage.write(one)
    other.join(LONG_S)
    assert looked == ["first", "second"]


def test_what_is_committed_is_on_the_disk(postgres, database):
    """Also where the server's default is to answer before it is."""
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("ALTER ROLE postgres SET synchronous_commit = off")
    try:
        ledger = PostgresLedger(database)
        with connections(ledger).lend() as connection:
            shown = connection.execute("SHOW synchronous_commit").fetchone()
        ledger.disconnect()
    finally:
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("ALTER ROLE postgres RESET synchronous_commit")
    assert shown == ("on",)


LIMIT = 40_000
RUNS = [f"run {i}" for i in range(6)]
TEAMS = ["red", "blue"]


def spend_as_run(database, seed):
    """One process that reserves and closes calls in all runs, from several threads."""
    ledger = PostgresLedger(database)

    def spend(number):
        rng = random.Random(seed * 100 + number)
        for i in range(60):
            run, key = rng.choice(RUNS), f"{seed} {number} {i}"
            with suppress(BudgetExceeded, AccountClosed):
                ledger.reserve(run, key, "Outline", Spend(rng.randrange(1, 300), 0, 0, 1))
                close = rng.choice(["settle", "release", "charge_in_full", None])
                if close == "settle":
                    ledger.settle(run, key, Spend(rng.randrange(1, 200), 0, 0, 1))
                elif close:
                    getattr(ledger, close)(run, key)

    in_threads(spend, 4)
    ledger.disconnect()


def change_places(database, seed):
    """One process that moves, limits and closes accounts meanwhile."""
    ledger, rng = PostgresLedger(database), random.Random(seed)
    for i in range(60):
        act = rng.randrange(4)
        if act == 0:
            ledger.move(rng.choice(RUNS), rng.choice(TEAMS))
        elif act == 1:
            ledger.move(rng.choice(TEAMS), "root")
        elif act == 2:
            ledger.set_limits(rng.choice(RUNS), f"{rng.randrange(1, 9)}k tokens a day")
        else:
            ledger.open(f"closed {seed} {i}", Budget(), parent=rng.choice(TEAMS))
            ledger.close(f"closed {seed} {i}")
    ledger.disconnect()


def in_threads(act, count):
    failed = []

    def do(number):
        try:
            act(number)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=do, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_processes_that_spend_move_limit_and_close_at_once(ledger, database):
    """Nothing is over, the counters are the sums of the entries, and nobody deadlocks."""
    ledger.open("root", Budget(max_tokens=LIMIT))
    for team in TEAMS:
        ledger.open(team, Budget(), parent="root")
    for i, run in enumerate(RUNS):
        ledger.open(run, "9k tokens a day", parent=TEAMS[i % 2])
    ledger.reserve(RUNS[0], "over a fork", "Outline", CALL)
    before = deadlocks(database)
    acts = (spend_as_run, spend_as_run, change_places, change_places)
    children = [fork_to(partial(act, database, turn)) for turn, act in enumerate(acts)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert deadlocks(database) == before
    assert ledger.settle(RUNS[0], "over a fork", USED).charged == USED
    for account in ledger.accounts():
        ledger.entries(account.name, below=True)  # which are added up
    assert len(ledger.entries("root", below=True)) > 100
    root = ledger.balance("root").periods[0]
    assert root.spent.tokens + root.reserved.tokens <= LIMIT
