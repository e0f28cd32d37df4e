"""Runs at work in a process: who drives each, for how long, and what is left when it ends."""

import os
import threading
import time
from contextlib import suppress

import pytest

from tests.ledger.shorthand import CALL, called
from thrifty.budget import Budget, LeaseLost, LedgerUnavailable
from thrifty.ledger.active_runs import CURRENT_DRIVER, ActiveRuns
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.owner import process_name
from thrifty.ledger.records import Lease

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
def active_runs(ledger, watch):
    return ActiveRuns(ledger, watch)


@pytest.fixture(autouse=True)
def driver():
    """The invocation that the nodes of a test run for."""
    token = CURRENT_DRIVER.set("ann")
    yield "ann"
    CURRENT_DRIVER.reset(token)


def test_the_first_node_takes_the_run_and_the_end_gives_it_back(active_runs, ledger, driver):
    assert active_runs.account_or_lease("run") == "run"
    with active_runs.track_node("run", lambda: 0):
        lease = active_runs.account_or_lease("run")
        assert isinstance(lease, Lease)
        assert (lease.account, lease.run, lease.owner) == ("run", "run", driver)
        assert ledger.reserve(lease, "k", "Outline", CALL).status == "pending"
    assert ledger.owner_of("run") == driver
    assert active_runs.account_or_lease("run") == lease
    active_runs.end_invocation(driver)
    assert ledger.owner_of("run") == ""
    assert active_runs.account_or_lease("run") == "run"


def test_one_invocation_takes_its_run_once(active_runs, ledger, monkeypatch):
    taken = []
    take = ledger.take
    monkeypatch.setattr(ledger, "take", lambda *a, **b: taken.append(a) or take(*a, **b))
    with active_runs.track_node("run", lambda: 0):
        lease = active_runs.account_or_lease("run")
    with active_runs.track_node("run", lambda: 0), active_runs.track_node("run", lambda: 0):
        assert active_runs.account_or_lease("run") == lease
    assert taken == [("run", "ann")]


def test_a_run_that_is_ended_meanwhile_is_given_back_by_its_last_node(active_runs, ledger, driver):
    with active_runs.track_node("run", lambda: 0):
        with active_runs.track_node("run", lambda: 0):
            in_another_thread(active_runs.end_invocation, driver)
            assert ledger.owner_of("run") == driver
        assert ledger.owner_of("run") == driver
    assert ledger.owner_of("run") == ""


def in_another_thread(act, *arguments):
    thread = threading.Thread(target=act, args=arguments)
    thread.start()
    thread.join()


def test_a_node_that_fails_is_no_longer_running(active_runs, ledger, driver):
    with suppress(ZeroDivisionError), active_runs.track_node("run", lambda: 0):
        1 / 0  # noqa: B018
    active_runs.end_invocation(driver)
    assert ledger.owner_of("run") == ""


def test_another_invocation_is_refused_until_the_first_has_ended(active_runs, ledger, driver):
    with active_runs.track_node("run", lambda: 0):
        CURRENT_DRIVER.set("bob")
        with (
            pytest.raises(LeaseLost, match="held by 'ann'"),
            active_runs.track_node("run", lambda: 0),
        ):
            raise AssertionError("two invocations drive one run")
    active_runs.end_invocation("bob")
    assert ledger.owner_of("run") == "ann"
    active_runs.end_invocation("ann")
    with active_runs.track_node("run", lambda: 0):
        assert ledger.owner_of("run") == "bob"


def test_an_invocation_gives_back_its_own_runs_and_no_others(active_runs, ledger):
    ledger.open("other", ledger.balance("run").budget)
    with active_runs.track_node("run", lambda: 0):
        pass
    CURRENT_DRIVER.set("bob")
    with active_runs.track_node("other", lambda: 0):
        pass
    active_runs.end_invocation("ann")
    assert (ledger.owner_of("run"), ledger.owner_of("other")) == ("", "bob")


def test_who_has_no_name_is_known_by_the_process(active_runs, ledger):
    CURRENT_DRIVER.set("")
    with active_runs.track_node("run", lambda: 0):
        assert ledger.owner_of("run") == process_name()


def test_time_counts_while_the_run_is_driven(active_runs, watch, driver):
    assert active_runs.active_ms("run", 7) == 7
    with active_runs.track_node("run", lambda: 100):
        assert active_runs.active_ms("run", 0) == 100
        watch.ns += 50 * MS + MS - 1
        assert active_runs.active_ms("run", 0) == 150
        watch.ns += 1
        assert active_runs.active_ms("run", 0) == 151
        assert active_runs.active_ms("run", 999) == 999
    watch.ns += 9 * MS
    with active_runs.track_node("run", lambda: 0):
        assert active_runs.active_ms("run", 0) == 160
    active_runs.end_invocation(driver)
    watch.ns += 1_000 * MS
    assert active_runs.active_ms("run", 160) == 160
    with active_runs.track_node("run", lambda: 160):
        assert active_runs.active_ms("run", 160) == 160


def test_what_is_kept_is_made_once_for_each_time_the_run_is_driven(active_runs, driver):
    made = []

    def make():
        made.append(object())
        return made[-1]

    assert active_runs.get_or_make("run", make) is not active_runs.get_or_make("run", make)
    with active_runs.track_node("run", lambda: 0):
        first = active_runs.get_or_make("run", make)
        assert active_runs.get_or_make("run", make) is first is made[-1]
        assert active_runs.get_or_make("run", lambda: "something else") == "something else"
    active_runs.end_invocation(driver)
    with active_runs.track_node("run", lambda: 0):
        assert active_runs.get_or_make("run", make) is not first


def test_nodes_that_start_side_by_side_share_a_turn(watch, driver):
    """Both find the run free; the ledger hands both the same lease, and the last one leaves."""
    ledger = Crossing()
    called(ledger)
    active_runs = ActiveRuns(ledger, watch)
    inside, go_on = threading.Barrier(3), {"first": threading.Event(), "second": threading.Event()}

    def node():
        CURRENT_DRIVER.set(driver)
        with active_runs.track_node("run", lambda: 0):
            name = "second" if ledger.first_is_in.is_set() else "first"
            ledger.first_is_in.set()
            inside.wait(240)
            go_on[name].wait(240)

    threads = [threading.Thread(target=node) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(240)
    active_runs.end_invocation(driver)
    go_on["second"].set()
    while all(thread.is_alive() for thread in threads):
        time.sleep(0.001)
    assert ledger.owner_of("run") == driver
    go_on["first"].set()
    for thread in threads:
        thread.join()
    assert ledger.owner_of("run") == ""


class Crossing(MemoryLedger):
    """Two ask for a run before either gets it, and the second gets it once the first is in."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier, self.first_is_in = threading.Barrier(2), threading.Event()

    def take(self, *given, **named):
        if self.barrier.wait(240):
            self.first_is_in.wait(240)
        return super().take(*given, **named)


class Failing(MemoryLedger):
    """Cannot be told that a lease is given back, until it is mended."""

    is_mended = False

    def __init__(self) -> None:
        super().__init__()
        self.left = []

    def give_back(self, lease):
        self.left.append(lease.fence)
        if not self.is_mended:
            raise LedgerUnavailable("the disk is full")
        super().give_back(lease)


def test_what_cannot_be_given_back_is_given_back_before_it_is_taken_again(watch):
    ledger = Failing()
    called(ledger)
    active_runs = ActiveRuns(ledger, watch)
    with active_runs.track_node("run", lambda: 0):
        pass
    active_runs.end_invocation("ann")
    assert ledger.owner_of("run") == "ann"
    assert active_runs.account_or_lease("run") == "run"
    ledger.is_mended = True
    CURRENT_DRIVER.set("bob")
    with active_runs.track_node("run", lambda: 0):
        assert active_runs.account_or_lease("run").fence == 2
        assert ledger.owner_of("run") == "bob"
    active_runs.end_invocation("bob")
    assert ledger.owner_of("run") == ""
    with active_runs.track_node("run", lambda: 0):
        assert active_runs.account_or_lease("run").fence == 3
    assert ledger.left == [1, 1, 2]


def test_what_cannot_be_given_back_is_given_back_with_whatever_run_comes_next(watch):
    """Else it would seem to be driven for as long as this process lives, also to others."""
    ledger = Failing()
    called(ledger)
    ledger.open("other", Budget(max_tokens=100))
    active_runs = ActiveRuns(ledger, watch)
    with active_runs.track_node("run", lambda: 0):
        pass
    active_runs.end_invocation("ann")
    active_runs.retry_lease_returns()
    assert ledger.owner_of("run") == "ann"
    ledger.is_mended = True
    with active_runs.track_node("other", lambda: 0):
        assert ledger.owner_of("run") == ""
    ledger.take("run", "zoe")
    active_runs.retry_lease_returns()
    assert ledger.owner_of("run") == "zoe"
    assert ledger.left == [1, 1, 1]


def test_what_somebody_has_taken_over_is_not_given_back(active_runs, ledger, driver):
    with active_runs.track_node("run", lambda: 0):
        ledger.take("run", "bob", over_fence=active_runs.account_or_lease("run").fence)
    active_runs.end_invocation(driver)
    assert ledger.owner_of("run") == "bob"
    assert active_runs.account_or_lease("run") == "run"


def test_who_finds_a_run_free_does_not_go_on_under_a_stale_lease(active_runs, ledger):
    """Somebody took it over and left it, while an invocation here still believes to have it."""
    with active_runs.track_node("run", lambda: 0):
        ledger.give_back(
            ledger.take("run", "zoe", over_fence=active_runs.account_or_lease("run").fence)
        )
        CURRENT_DRIVER.set("bob")
        with active_runs.track_node("run", lambda: 0):
            assert active_runs.account_or_lease("run").owner == "bob"
            assert (
                ledger.reserve(active_runs.account_or_lease("run"), "k", "k", CALL).status
                == "pending"
            )


def test_a_run_of_which_the_ledger_knows_nothing_is_told_so(active_runs):
    remedy = "go on with the user, thread and ledger that it began with, or restore the .*"
    with pytest.raises(LedgerUnavailable, match=f"^the ledger knows nothing of.*; {remedy}$"):
        active_runs.track_node("another", lambda: 0).__enter__()


class Interrupted(MemoryLedger):
    """Is interrupted just after it has done something, once."""

    def __init__(self, act: str) -> None:
        super().__init__()
        called(self)
        self.act, self.is_interrupted = act, False

    def take(self, *given, **named):
        return self._interrupt_once("take", super().take(*given, **named))

    def give_back(self, lease):
        return self._interrupt_once("give_back", super().give_back(lease))

    def _interrupt_once(self, act, result):
        if act == self.act and not self.is_interrupted:
            self.is_interrupted = True
            raise KeyboardInterrupt
        return result


@pytest.mark.parametrize("act", ["take", "give_back"])
def test_who_is_interrupted_while_a_lease_changes_hands_leaves_none(watch, driver, act):
    active_runs = ActiveRuns(ledger := Interrupted(act), watch)

    def drive():
        try:
            with active_runs.track_node("run", lambda: 0):
                pass
        finally:
            active_runs.end_invocation(driver)

    with pytest.raises(KeyboardInterrupt):
        drive()
    active_runs.end_invocation(driver)
    assert ledger.owner_of("run") == ""
    CURRENT_DRIVER.set("bob")
    with active_runs.track_node("run", lambda: 0):
        assert ledger.owner_of("run") == "bob"


def test_a_node_that_was_interrupted_before_it_could_say_so_holds_up_nobody(
    active_runs, ledger, driver
):
    active_runs.track_node("run", lambda: 0).__enter__()
    active_runs.end_invocation(driver)
    assert ledger.owner_of("run") == ""


def test_at_the_end_of_the_process_all_leases_are_returned(active_runs, ledger, watch):
    with active_runs.track_node("run", lambda: 0):
        active_runs.end_process()
        assert ledger.owner_of("run") == ""
    ledger.take("run", "zoe")
    active_runs.end_process()
    assert ledger.owner_of("run") == "zoe"


def test_a_fork_returns_none_of_its_parents_leases(active_runs, ledger, driver):
    with active_runs.track_node("run", lambda: 0):
        lease = active_runs.account_or_lease("run")
        with active_runs._lock:  # as if another thread held it
            if not (child := os.fork()):
                ledger._storage._is_copy = False
                active_runs._lock = None  # nobody can wait for it here
                active_runs.end_invocation(driver)
                active_runs.end_process()
                os._exit(ledger.owner_of("run") != driver)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert active_runs.account_or_lease("run") == lease
