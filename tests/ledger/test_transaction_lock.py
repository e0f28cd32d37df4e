"""Transactions in memory run one after another, and never one within another."""

import signal
import threading

import pytest

from thrifty.budget import LedgerUnavailable
from thrifty.ledger.transaction_lock import TransactionLock

WAIT_S = 240


def test_one_runs_at_a_time():
    lock, order = TransactionLock(), []
    inside, go_on = threading.Event(), threading.Event()

    def first():
        inside.set()
        assert go_on.wait(WAIT_S)
        order.append("first")

    threads = [
        threading.Thread(target=lock.run, args=(act,))
        for act in (first, lambda: order.append("second"))
    ]
    threads[0].start()
    assert inside.wait(WAIT_S)
    threads[1].start()
    threads[1].join(0.1)
    assert order == []
    go_on.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert order == ["first", "second"]


def test_one_within_another_is_refused_at_once():
    lock = TransactionLock()
    told = (
        "^a ledger in memory was asked within one of its own transactions, as by a signal "
        "handler; ask after it has ended, or use a SqliteLedger$"
    )

    def outer():
        with pytest.raises(LedgerUnavailable, match=told):
            lock.run(lambda: 1)
        return 2

    assert lock.run(outer) == 2
    assert lock.run(lambda: 3) == 3


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_one_that_fails_lets_the_next_one_in(error):
    lock = TransactionLock()

    def fail():
        raise error

    with pytest.raises(error):
        lock.run(fail)
    assert lock.run(lambda: 1) == 1


def test_who_is_interrupted_anywhere_lets_the_next_one_in():
    """Whatever the lock was doing just then."""
    lock, interrupts = TransactionLock(), 0
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        while interrupts < 500:
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + interrupts % 50))
                while True:
                    lock.run(lambda: None)
            except KeyboardInterrupt:
                interrupts += 1
    finally:
        signal.signal(signal.SIGALRM, before)
    other = threading.Thread(target=lock.run, args=(lambda: None,), daemon=True)
    other.start()
    other.join(WAIT_S)
    assert not other.is_alive()
