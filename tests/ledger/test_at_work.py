"""Runs at work in a process: who drives each, for how long, and what is left when it ends."""

import threading
import time
from contextlib import suppress

import pytest

from tests.ledger.shorthand import CALL, called
from thrifty.budget import Budget, LeaseLost, LedgerUnavailable
from thrifty.ledger.at_work import DRIVER, RunsAtWork
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.owner import this_process
from thrifty.ledger.protocol import Lease

MS = 1_000_000


class Watch:
    """A monotonic clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.ns = 5_000 * MS

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def ledger():
    ledger = MemoryLedger()
    called(ledger)
    return ledger


@pytest.fixture
def at_work(ledger, watch):
    return RunsAtWork(ledger, watch)


@pytest.fixture(autouse=True)
def driver():
    """The invocation that the nodes of a test run for."""
    token = DRIVER.set("ann")
    yield "ann"
    DRIVER.reset(token)


def test_the_first_node_takes_the_run_and_the_end_gives_it_back(at_work, ledger, driver):
    assert at_work.account("run") == "run"
    with at_work.node("run", lambda: 0):
        lease = at_work.account("run")
        assert isinstance(lease, Lease)
        assert (lease.account, lease.run, lease.owner) == ("run", "run", driver)
        assert ledger.reserve(lease, "k", "Outline", CALL).status == "pending"
    assert ledger.holder("run") == driver
    assert at_work.account("run") == lease
    at_work.end(driver)
    assert ledger.holder("run") == ""
    assert at_work.account("run") == "run"


def test_one_invocation_takes_its_run_once(at_work, ledger, monkeypatch):
    taken = []
    take = ledger.take
    monkeypatch.setattr(ledger, "take", lambda *a, **b: taken.append(a) or take(*a, **b))
    with at_work.node("run", lambda: 0):
        lease = at_work.account("run")
    with at_work.node("run", lambda: 0), at_work.node("run", lambda: 0):
        assert at_work.account("run") == lease
    assert taken == [("run", "ann")]


def test_a_run_that_is_ended_meanwhile_is_given_back_by_its_last_node(at_work, ledger, driver):
    with at_work.node("run", lambda: 0):
        with at_work.node("run", lambda: 0):
            at_work.end(driver)
            assert ledger.holder("run") == driver
        assert ledger.holder("run") == driver
    assert ledger.holder("run") == ""


def test_a_node_that_fails_is_no_longer_running(at_work, ledger, driver):
    with suppress(ZeroDivisionError), at_work.node("run", lambda: 0):
        1 / 0  # noqa: B018
    at_work.end(driver)
    assert ledger.holder("run") == ""


def test_another_invocation_is_refused_until_the_first_has_ended(at_work, ledger, driver):
    with at_work.node("run", lambda: 0):
        DRIVER.set("bob")
        with pytest.raises(LeaseLost, match="held by 'ann'"), at_work.node("run", lambda: 0):
            raise AssertionError("two invocations drive one run")
    at_work.end("bob")
    assert ledger.holder("run") == "ann"
    at_work.end("ann")
    with at_work.node("run", lambda: 0):
        assert ledger.holder("run") == "bob"


def test_an_invocation_gives_back_its_own_runs_and_no_others(at_work, ledger):
    ledger.open("other", ledger.balance("run").budget)
    with at_work.node("run", lambda: 0):
        pass
    DRIVER.set("bob")
    with at_work.node("other", lambda: 0):
        pass
    at_work.end("ann")
    assert (ledger.holder("run"), ledger.holder("other")) == ("", "bob")


def test_who_has_no_name_is_known_by_the_process(at_work, ledger):
    DRIVER.set("")
    with at_work.node("run", lambda: 0):
        assert ledger.holder("run") == this_process()


def test_time_counts_while_the_run_is_driven(at_work, watch, driver):
    assert at_work.active_ms("run", 7) == 7
    with at_work.node("run", lambda: 100):
        assert at_work.active_ms("run", 0) == 100
        watch.ns += 50 * MS + MS - 1
        assert at_work.active_ms("run", 0) == 150
        watch.ns += 1
        assert at_work.active_ms("run", 0) == 151
        assert at_work.active_ms("run", 999) == 999
    watch.ns += 9 * MS
    with at_work.node("run", lambda: 0):
        assert at_work.active_ms("run", 0) == 160
    at_work.end(driver)
    watch.ns += 1_000 * MS
    assert at_work.active_ms("run", 160) == 160
    with at_work.node("run", lambda: 160):
        assert at_work.active_ms("run", 160) == 160


def test_what_is_kept_is_made_once_for_each_time_the_run_is_driven(at_work, driver):
    made = []

    def make():
        made.append(object())
        return made[-1]

    assert at_work.kept("run", make) is not at_work.kept("run", make)
    with at_work.node("run", lambda: 0):
        first = at_work.kept("run", make)
        assert at_work.kept("run", make) is first is made[-1]
        assert at_work.kept("run", lambda: "something else") == "something else"
    at_work.end(driver)
    with at_work.node("run", lambda: 0):
        assert at_work.kept("run", make) is not first


def test_nodes_that_start_side_by_side_share_a_turn(watch, driver):
    """Both find the run free; the ledger hands both the same lease, and the last one leaves."""
    ledger = Crossing()
    called(ledger)
    at_work = RunsAtWork(ledger, watch)
    inside, go_on = threading.Barrier(3), {"first": threading.Event(), "second": threading.Event()}

    def node():
        DRIVER.set(driver)
        with at_work.node("run", lambda: 0):
            name = "second" if ledger.first_is_in.is_set() else "first"
            ledger.first_is_in.set()
            inside.wait(240)
            go_on[name].wait(240)

    threads = [threading.Thread(target=node) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(240)
    at_work.end(driver)
    go_on["second"].set()
    while all(thread.is_alive() for thread in threads):
        time.sleep(0.001)
    assert ledger.holder("run") == driver
    go_on["first"].set()
    for thread in threads:
        thread.join()
    assert ledger.holder("run") == ""


class Crossing(MemoryLedger):
    """Two ask for a run before either gets it, and the second gets it once the first is in."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.first_is_in = threading.Barrier(2), threading.Event()

    def take(self, *given, **named):
        if self.gate.wait(240):
            self.first_is_in.wait(240)
        return super().take(*given, **named)


class Failing(MemoryLedger):
    """Cannot be told that a lease is given back, until it is mended."""

    is_mended = False

    def __init__(self) -> None:
        super().__init__()
        self.left = []

    def leave(self, lease):
        self.left.append(lease.fence)
        if not self.is_mended:
            raise LedgerUnavailable("the disk is full")
        super().leave(lease)


def test_what_cannot_be_given_back_is_given_back_before_it_is_taken_again(watch):
    ledger = Failing()
    called(ledger)
    at_work = RunsAtWork(ledger, watch)
    with at_work.node("run", lambda: 0):
        pass
    at_work.end("ann")
    assert ledger.holder("run") == "ann"
    assert at_work.account("run") == "run"
    ledger.is_mended = True
    DRIVER.set("bob")
    with at_work.node("run", lambda: 0):
        assert at_work.account("run").fence == 2
        assert ledger.holder("run") == "bob"
    at_work.end("bob")
    assert ledger.holder("run") == ""
    with at_work.node("run", lambda: 0):
        assert at_work.account("run").fence == 3
    assert ledger.left == [1, 1, 2]


def test_what_cannot_be_given_back_is_given_back_with_whatever_run_comes_next(watch):
    """Else it would seem to be driven for as long as this process lives, also to others."""
    ledger = Failing()
    called(ledger)
    ledger.open("other", Budget(max_tokens=100))
    at_work = RunsAtWork(ledger, watch)
    with at_work.node("run", lambda: 0):
        pass
    at_work.end("ann")
    at_work.give_back_what_is_over()
    assert ledger.holder("run") == "ann"
    ledger.is_mended = True
    with at_work.node("other", lambda: 0):
        assert ledger.holder("run") == ""
    ledger.take("run", "zoe")
    at_work.give_back_what_is_over()
    assert ledger.holder("run") == "zoe"
    assert ledger.left == [1, 1, 1]


def test_what_somebody_has_taken_over_is_not_given_back(at_work, ledger, driver):
    with at_work.node("run", lambda: 0):
        ledger.take("run", "bob", over=at_work.account("run").fence)
    at_work.end(driver)
    assert ledger.holder("run") == "bob"
    assert at_work.account("run") == "run"


def test_who_finds_a_run_free_does_not_go_on_under_a_stale_lease(at_work, ledger):
    """Somebody took it over and left it, while an invocation here still believes to have it."""
    with at_work.node("run", lambda: 0):
        ledger.leave(ledger.take("run", "zoe", over=at_work.account("run").fence))
        DRIVER.set("bob")
        with at_work.node("run", lambda: 0):
            assert at_work.account("run").owner == "bob"
            assert ledger.reserve(at_work.account("run"), "k", "k", CALL).status == "pending"


def test_a_run_of_which_the_ledger_knows_nothing_is_told_so(at_work):
    remedy = "use the ledger that it began with, or restore it from a backup"
    with pytest.raises(LedgerUnavailable, match=f"^the ledger knows nothing of.*; {remedy}$"):
        at_work.node("another", lambda: 0).__enter__()
