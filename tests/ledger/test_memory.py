"""What holds of a ledger in memory alone: an interrupt in its middle, and who asks from within."""

import signal
import threading

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty import MemoryLedger, Spend
from thrifty.budget import LedgerUnavailable
from thrifty.ledger.owner import process_name

INTERRUPTS = 300


def test_who_asks_from_within_a_transaction_is_refused_at_once():
    """As a signal handler does, whose thread cannot go on before the handler returns."""
    ledger = MemoryLedger()
    called(ledger)
    told = "^a ledger in memory was asked within one of its own transactions"

    def ask(tables):
        for act in (lambda: ledger.balance("run"), lambda: ledger.reserve("run", "k", "k", CALL)):
            with pytest.raises(LedgerUnavailable, match=told):
                act()
        return "done"

    assert ledger._storage.write(ask) == "done"
    assert ledger.reserve("run", "k", "k", CALL).status == "pending"


def test_an_interrupt_at_any_moment_leaves_the_ledger_whole():
    """Each act is done wholly or not at all, and nobody is locked out."""
    ledger, interrupts, number = MemoryLedger(), 0, 0
    called(ledger)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        while interrupts < INTERRUPTS:
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + 7 * interrupts % 400))
                while True:
                    key = f"k{number % 7}"
                    ledger.reserve("run", key, key, CALL)
                    ledger.release("run", key)
                    number += 1
            except KeyboardInterrupt:
                interrupts += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    done = []
    other = threading.Thread(target=lambda: done.append(ledger.sweep(owner=process_name())))
    other.start()
    other.join(60)
    assert len(done) == 1
    ledger.entries("run")  # which adds them up
    ledger.reserve("run", "last", "last", CALL)
    ledger.settle("run", "last", USED)
    assert ledger.balance("run").reserved == Spend()
