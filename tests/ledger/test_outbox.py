"""What could not be written is written later: in order, once, and before anything else."""

import logging
import os
from threading import Event, Thread

import pytest

from tests.harness.failing_disks import DISKS, Disk
from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import InvalidInput, LeaseLost, LedgerUnavailable, ReservationClosed, Spend
from thrifty.ledger.base_ledger import BaseLedger, wall_clock_ms
from thrifty.ledger.memory import MemoryStorage
from thrifty.ledger.outbox import Outbox


class FailingStorage(MemoryStorage):
    """What cannot be written for a while.

    Args:
        is_late: whether it fails only once it has written.
    """

    def __init__(self, is_late: bool) -> None:
        super().__init__(wall_clock_ms)
        self.is_late, self.is_failing = is_late, False

    def write(self, work, call=None):
        if self.is_failing and not self.is_late:
            raise LedgerUnavailable("the disk is full")
        result = super().write(work, call)
        if self.is_failing:
            raise LedgerUnavailable("the connection was lost")
        return result


@pytest.fixture(params=[False, True], ids=["before the write", "after the write"])
def storage(request):
    return FailingStorage(request.param)


@pytest.fixture
def failing(storage):
    ledger = BaseLedger(storage)
    called(ledger)
    return ledger


CLOSINGS = {
    "settle": lambda ledger, key: ledger.settle("run", key, USED, "an answer"),
    "charge": lambda ledger, key: ledger.charge_in_full("run", key),
    "release": lambda ledger, key: ledger.release("run", key),
}
ENDS = {"settle": "settled", "charge": "in_doubt", "release": "released"}


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_closing_that_fails_is_done_before_the_next_act(failing, storage, closing):
    failing.reserve("run", "k", "Outline", CALL)
    storage.is_failing = True
    with pytest.raises(LedgerUnavailable):
        CLOSINGS[closing](failing, "k")
    assert failing._outbox.kept
    with pytest.raises(LedgerUnavailable):
        failing.reserve("run", "next", "Risks", CALL)
    storage.is_failing = False
    failing.reserve("run", "next", "Risks", CALL)
    assert not failing._outbox.kept
    assert failing.entry("run", "k").status == ENDS[closing]
    assert failing.entry("run", "k").answer == ("an answer" if closing == "settle" else "")
    assert failing.balance("run").reserved == CALL


def test_acts_are_done_in_order_and_each_once(failing, storage):
    for key in ("a", "b", "c"):
        failing.reserve("run", key, key, CALL)
    storage.is_failing = True
    for key, closing in (("a", "release"), ("b", "settle"), ("c", "charge")):
        with pytest.raises(LedgerUnavailable):
            CLOSINGS[closing](failing, key)
    storage.is_failing = False
    failing.reserve("run", "a", "a", CALL)
    failing._outbox.flush()
    statuses = {entry.key: entry.status for entry in failing.entries("run")}
    assert statuses == {"a": "pending", "b": "settled", "c": "in_doubt"}


def test_what_a_flush_cannot_write_stays_in_its_order():
    outbox, done, broken = Outbox(), [], [True]

    def act(name):
        if name == "b" and broken:
            raise LedgerUnavailable("the disk is full")
        done.append(name)

    for name in ("a", "b", "c"):
        outbox.add(lambda name=name: act(name))
    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            outbox.flush()
        assert done == ["a"]
    broken.clear()
    outbox.flush()
    assert done == ["a", "b", "c"]
    assert not outbox.kept


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (ReservationClosed("k", "in_doubt"), "DEBUG"),
        (LeaseLost("run", "bob", 0, 2), "DEBUG"),
        (InvalidInput("account", "run", "open it"), "WARNING"),
        (KeyError("run"), "WARNING"),
    ],
)
def test_what_can_never_be_written_is_told_and_dropped(caplog, error, level):
    def fail():
        raise error

    outbox, done = Outbox(), []
    outbox.add(fail, "the settling of 'k'")
    outbox.add(lambda: done.append("next"))
    with caplog.at_level(logging.DEBUG):
        outbox.flush()
    (record,) = caplog.records
    assert record.levelname == level
    assert "the settling of 'k'" in record.getMessage()
    assert done == ["next"]


def test_who_is_interrupted_leaves_the_act_to_the_next():
    outbox, attempts = Outbox(), []

    def act():
        attempts.append("act")
        if len(attempts) == 1:
            raise KeyboardInterrupt

    outbox.add(act)
    with pytest.raises(KeyboardInterrupt):
        outbox.flush()
    assert outbox.kept
    outbox.flush()
    assert not outbox.kept
    assert len(attempts) == 2


def test_a_signals_handler_that_asks_the_ledger_does_not_wait_for_itself():
    outbox, seen = Outbox(), []

    def interrupted():
        outbox.flush()  # as the handler would
        seen.append(bool(outbox))

    outbox.add(interrupted)
    outbox.flush()
    assert seen == [True]
    assert not outbox.kept


def test_other_threads_wait_until_what_is_kept_is_written():
    """Else a key could be reserved anew before it is released, and then be freed under a call."""
    outbox, begun, may_end, order = Outbox(), Event(), Event(), []

    def release():
        begun.set()
        assert may_end.wait(240)
        order.append("release")

    outbox.add(release)
    flushing = Thread(target=outbox.flush)
    flushing.start()
    assert begun.wait(240)
    reserving = Thread(target=lambda: [outbox.flush(), order.append("reserve")])
    reserving.start()
    may_end.set()
    for thread in (flushing, reserving):
        thread.join()
    assert order == ["release", "reserve"]


def test_a_fork_leaves_what_is_kept_to_its_parent():
    outbox, done = Outbox(), []
    outbox.add(lambda: done.append("parent"))
    with outbox._lock:  # as if another thread held it
        if not (child := os.fork()):
            outbox._lock = None  # nobody can wait for it here
            outbox.flush()
            outbox.add(lambda: done.append("child"))
            outbox.flush()
            os._exit(0 if done == ["child"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    outbox.flush()
    assert done == ["parent"]


@pytest.mark.parametrize("disk", DISKS)
def test_a_disk_that_fails_is_written_once_it_is_mended(tmp_path, disk):
    broken = Disk(tmp_path / "books", DISKS[disk])
    called(broken.ledger)
    broken.ledger.reserve("run", "k", "Outline", CALL)
    with broken.failing(), pytest.raises(LedgerUnavailable):
        broken.ledger.settle("run", "k", USED, "an answer")
    broken.ledger._outbox.flush()
    entry = broken.ledger.entry("run", "k")
    assert (entry.status, entry.charged, entry.answer) == ("settled", USED, "an answer")
    assert broken.ledger.balance("run").reserved == Spend()
