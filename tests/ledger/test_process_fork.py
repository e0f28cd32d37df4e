"""Who has something open is told of a fork before it, and on both sides after it."""

import os
import threading

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget
from thrifty.ledger import process_fork
from thrifty.ledger.postgres import PostgresLedger


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
