"""A ledger that is locked, or lies on a slow disk, delays no call that is booked in another."""

from threading import Event, Thread

from tests.harness.llm_server import Answer
from tests.models.conftest import client
from thrifty import Budget, MemoryLedger, metered
from thrifty.models.wire.background_loop import LEDGER_THREADS, background_loop

MANY = 3 * LEDGER_THREADS


class LockedLedger(MemoryLedger):
    """Lets nobody reserve until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_free, self.waiting = Event(), []

    def reserve(self, *given, **named):
        self.waiting.append(given)
        assert self.is_free.wait(240)
        return super().reserve(*given, **named)


def test_calls_on_a_locked_ledger_delay_no_others(server):
    server.default = Answer("An answer")
    locked, other = LockedLedger(), MemoryLedger()
    answers = []
    for ledger in (locked, other):
        ledger.open("team", Budget(max_tokens=1_000_000))
    slow = metered(client(server), locked, "team")
    threads = [Thread(target=lambda: answers.append(slow.invoke("Hi").text)) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    while len(locked.waiting) < LEDGER_THREADS:
        assert threads[0].is_alive()
    for _ in range(MANY):
        assert metered(client(server), other, "team").invoke("Hi").text == "An answer"
    assert not answers
    locked.is_free.set()
    for thread in threads:
        thread.join()
    assert answers == ["An answer"] * MANY
    assert len(locked.entries("team")) == MANY


def test_ledgers_that_are_gone_leave_no_threads_behind(server, monkeypatch):
    monkeypatch.setattr("thrifty.models.wire.worker_threads.IDLE_S", 0.01)
    server.default = Answer("An answer")
    before = len(background_loop()._ledger_threads)  # those of other tests
    for _ in range(20):
        ledger = MemoryLedger()
        ledger.open("team", Budget(max_tokens=10_000))
        metered(client(server), ledger, "team").invoke("Hi")
    assert len(background_loop()._ledger_threads) < before + 20
