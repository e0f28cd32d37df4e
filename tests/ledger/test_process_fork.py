"""Who has something open is told of a fork before it, and on both sides after it."""

import os
import sqlite3
import threading

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget, LedgerUnavailable, Spend
from thrifty.ledger import process_fork, sqlite_file
from thrifty.ledger.postgres import PostgresLedger
from thrifty.ledger.sqlite import SqliteLedger
from thrifty.ledger.sqlite_file import SqliteFile

WAIT_S = 60


class Told:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.what = []

    def before_fork(self) -> None:
        self.what.append("before")

    def after_fork(self, in_child: bool) -> None:
        self.what.append(in_child)


def test_both_sides_are_told_which_they_are():
    told = Told()
    process_fork.register_fork_aware(told)
    child = os.fork()
    if not child:
        os._exit(0 if told.what == ["before", True] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert told.what == ["before", False]


class Interrupted(Told):
    """Is interrupted the first time, before and after the fork."""

    def before_fork(self) -> None:
        super().before_fork()
        if len(self.what) == 1:
            raise KeyboardInterrupt

    def after_fork(self, in_child: bool) -> None:
        super().after_fork(in_child)
        if len(self.what) == 3:
            raise KeyboardInterrupt


def test_who_is_interrupted_is_told_again():
    """Python forks whatever is raised: what is left locked or open would stay so."""
    first, second, others = Interrupted(), Told(), [Told() for _ in range(20)]
    for told in (first, second, *others):
        process_fork.register_fork_aware(told)
    child = os.fork()
    if not child:
        os._exit(0 if first.what == ["before", "before", True, True] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert first.what == ["before", "before", False, False]
    for told in (second, *others):
        assert {*told.what} == {"before", False}
        assert told.what == sorted(told.what, key=str, reverse=True)


def test_one_thread_forks_at_a_time():
    """Two would lock the same things in another order, and wait for each other."""
    inside, go_on, order = threading.Event(), threading.Event(), []

    class Slow(Told):
        def before_fork(self) -> None:
            order.append(threading.current_thread().name)
            if len(order) == 1:
                inside.set()
                assert go_on.wait(WAIT_S)

        def after_fork(self, in_child: bool) -> None:
            if not in_child:
                order.append(threading.current_thread().name)

    slow = Slow()
    process_fork.register_fork_aware(slow)

    def fork():
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)

    threads = [threading.Thread(target=fork, name=name) for name in ("first", "second")]
    threads[0].start()
    assert inside.wait(WAIT_S)
    threads[1].start()
    threads[1].join(0.1)
    assert order == ["first"]
    go_on.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert order == ["first", "first", "second", "second"]


def test_a_handler_that_asks_while_its_thread_forks_is_refused(tmp_path):
    """It would wait for a lock that this thread holds until the fork is over."""
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    called(ledger)
    refused = []

    class Asks(Told):
        def before_fork(self) -> None:
            with pytest.raises(LedgerUnavailable, match=r"^this thread is about to fork; ask"):
                ledger.balance("run")
            refused.append(True)

    asks = Asks()
    process_fork.register_fork_aware(asks)
    child = os.fork()
    if not child:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert refused == [True]
    assert ledger.balance("run").reserved == Spend()
    ledger.disconnect()


def test_a_file_that_is_locked_elsewhere_does_not_hold_up_a_fork(tmp_path):
    """Between two turns of waiting for it there is room for one, and the wait goes on."""
    path, done = tmp_path / "ledger.sqlite", []
    ledger = SqliteLedger(path, busy_ms=1_000 * WAIT_S)
    called(ledger)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=lambda: done.append(ledger.reserve("run", "k", "k", CALL)))
    thread.start()
    while not ledger._sqlite_storage._queue._turn.locked():
        thread.join(0.002)
    child = os.fork()
    if not child:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not done
    other.close()
    thread.join(WAIT_S)
    assert [entry.status for entry in done] == ["pending"]
    ledger.disconnect()


def test_a_connection_that_came_along_is_never_closed_in_the_child(tmp_path, monkeypatch):
    """Where it could not be closed before: closing it would end what the parent does with it."""
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    called(ledger, "k")
    monkeypatch.setattr(SqliteFile, "before_fork", lambda file: None)
    connection = ledger._sqlite_storage._file._connection
    child = os.fork()
    if not child:
        status = 1
        try:
            assert ledger._sqlite_storage._file._connection is None
            # Ledgers of other tests may have left theirs.
            assert any(each is connection for each in sqlite_file.inherited_connections)
            assert ledger.settle("run", "k", USED).charged == USED
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert ledger._sqlite_storage._file._connection is connection
    assert ledger.balance("run").spent == USED


def forked_status(act):
    """What a forked process ends with that does something."""
    child = os.fork()
    if not child:
        try:
            os._exit(0 if act() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1]


def test_a_fork_has_connections_of_its_own_to_the_database(database):
    """The parent's go on: neither side closes them for the other, nor reads what it was told."""
    ledger = PostgresLedger(database)
    called(ledger, "k", "l")
    before = set(ledger._storage._transactions._connections._open)

    def settle():
        settled = ledger.settle("run", "k", USED)
        own = ledger._storage._transactions._connections._open
        ledger.disconnect()
        return settled.charged == USED and not own & before

    assert forked_status(settle) == 0
    assert ledger.settle("run", "l", USED).charged == USED
    assert ledger._storage._transactions._connections._open == before
    assert ledger.balance("run").spent == USED + USED
    ledger.disconnect()


def test_a_fork_amid_calls_leaves_them_to_the_parent(database):
    """Both processes go on, and each call is done once."""
    ledger = PostgresLedger(database)
    ledger.open("run", Budget())

    def reserve(prefix):
        for i in range(30):
            ledger.reserve("run", f"{prefix} {i}", "Outline", CALL)

    threads = [threading.Thread(target=reserve, args=(f"parent {i}",)) for i in range(3)]
    for thread in threads:
        thread.start()
    statuses = [forked_status(lambda i=i: reserve(f"child {i}") is None) for i in range(3)]
    for thread in threads:
        thread.join()
    assert statuses == [0, 0, 0]
    assert len(ledger.entries("run")) == 6 * 30
    ledger.disconnect()
