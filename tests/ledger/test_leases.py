"""The contract of every ledger: who may spend in a run, and what a take-over does."""

import time

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import (
    Budget,
    BudgetExceeded,
    KeyReused,
    LeaseLost,
    ReservationClosed,
    Spend,
)
from thrifty.ledger.base_ledger import wall_clock_ms
from thrifty.ledger.records import Lease


def spending_acts(ledger, account):
    """Everything that a run does under its lease."""
    return [
        lambda: ledger.open(account, Budget(max_tokens=50_000)),
        lambda: ledger.reserve(account, "new", "Outline", CALL),
        lambda: ledger.reserve(account, "k", "Outline", CALL),
        lambda: ledger.mark_sent(account, "k"),
        lambda: ledger.charge_in_full(account, "k"),
        lambda: ledger.release(account, "k"),
        lambda: ledger.grant(account, "sub", Budget(1, 0, None, 0)),
        lambda: ledger.reclaim(account, "sub"),
    ]


def test_a_lease_says_who_holds_the_run_since_when(ledger, clock):
    """It is shown in place of the account's name."""
    called(ledger)
    lease = ledger.take("run", "a")
    assert lease == Lease("run", "run", "a", 1, clock.ms)
    entry = ledger.reserve(lease, "k", "Outline", CALL)
    assert entry.run == "run"
    assert ledger.settle(lease, "k", USED).charged == USED
    assert ledger.balance(lease) == ledger.balance("run")
    assert ledger.entries(lease) == ledger.entries("run")


def test_leases_tell_the_time_of_the_wall():
    """For people to read, in milliseconds since 1970."""
    assert abs(wall_clock_ms() - time.time() * 1000) < 1_000


def test_taking_twice_is_taking_once(ledger, clock):
    """Also after some time: the lease is the same."""
    called(ledger)
    lease = ledger.take("run", "a")
    clock.ms += 1_000
    assert ledger.take("run", "a") == lease
    assert ledger.take("run", "a", over_fence=lease.fence) == lease


def test_of_two_that_resume_a_run_one_wins(ledger):
    """The other reads who holds it since when, and nothing changes."""
    called(ledger, "k")
    ledger.take("run", "a")
    ledger.reserve(ledger.take("run", "a"), "l", "Outline", CALL)
    with pytest.raises(LeaseLost, match=r"held by 'a' since 2027-01-15T08:00:00\+00:00") as lost:
        ledger.take("run", "b")
    assert (lost.value.holder, lost.value.fence) == ("a", 1)
    assert ledger.entries("run")[1].status == "pending"


def test_once_taken_nobody_else_can_spend(ledger):
    """Not without a lease, and not with one of another time."""
    called(ledger, "k")
    ledger.take("run", "a")
    strangers = ["run", Lease("run", "run", "a", 7, 0)]
    for act in [act for stranger in strangers for act in spending_acts(ledger, stranger)]:
        with pytest.raises(LeaseLost):
            act()
    assert ledger.balance("run").spent == CALL


def test_anybody_finds_an_account_open(ledger):
    """A resume opens its account with the same budget, before it knows whose the run is."""
    called(ledger)
    before = ledger.balance("run")
    ledger.take("run", "a")
    assert ledger.open("run", before.budget) == before


def test_a_take_over_needs_the_lease_that_it_ends(ledger, clock):
    """Of two that find the same owner gone, one takes over; the other finds the new owner."""
    called(ledger)
    first = ledger.take("run", "a")
    clock.ms += 60_000
    second = ledger.take("run", "b", over_fence=first.fence)
    assert second == Lease("run", "run", "b", 2, clock.ms)
    with pytest.raises(LeaseLost, match="held by 'b'"):
        ledger.take("run", "c", over_fence=first.fence)


def test_a_stale_owner_is_refused_whatever_it_does(ledger):
    """Stopped, taken over and thawed, it reads who holds the run; nothing of it is charged."""
    called(ledger)
    stale = ledger.take("run", "a")
    ledger.reserve(stale, "k", "Outline", CALL)
    ledger.take("run", "b", over_fence=stale.fence)
    before = ledger.balance("run")
    for act in [*spending_acts(ledger, stale), lambda: ledger.give_back(stale)]:
        with pytest.raises(LeaseLost, match="held by 'b'"):
            act()
    assert ledger.balance("run") == before


def test_a_take_over_charges_in_full_what_may_have_been_sent(ledger):
    """Never forgotten, never freed by time; what was certainly not sent is free."""
    called(ledger)
    lease = ledger.take("run", "a")
    ledger.reserve(lease, "sent", "Outline", CALL)
    ledger.reserve(lease, "marked", "Outline", CALL, unsent=True)
    ledger.mark_sent(lease, "marked")
    ledger.reserve(lease, "unsent", "Outline", CALL, unsent=True)
    ledger.reserve(lease, "settled", "Outline", CALL)
    ledger.settle(lease, "settled", USED, "an answer")
    ledger.take("run", "b", over_fence=lease.fence)
    entries = {entry.key: entry for entry in ledger.entries("run")}
    assert entries["sent"].status == entries["marked"].status == "in_doubt"
    assert entries["unsent"].status == "released"
    assert (entries["settled"].status, entries["settled"].answer) == ("settled", "an answer")
    assert ledger.balance("run").spent == CALL + CALL + USED
    assert ledger.balance("run").reserved == Spend()


def test_the_new_owner_goes_on_where_the_old_one_was_lost(ledger):
    """It replays what is settled, sends what was not sent, and knows what is in doubt."""
    called(ledger)
    stale = ledger.take("run", "a")
    ledger.reserve(stale, "unsent", "Outline", CALL, unsent=True)
    ledger.reserve(stale, "sent", "Outline", CALL)
    lease = ledger.take("run", "b", over_fence=stale.fence)
    assert ledger.reserve(lease, "unsent", "Outline", CALL, unsent=True).status == "unsent"
    assert ledger.mark_sent(lease, "unsent").status == "pending"
    assert ledger.reserve(lease, "sent", "Outline", CALL).status == "in_doubt"
    assert ledger.settle(stale, "sent", USED, "an answer").charged == USED
    assert ledger.reserve(lease, "sent", "Outline", CALL).answer == "an answer"


def test_a_late_answer_needs_no_lease(ledger):
    """Whoever has the bill knows best: also an owner that was lost, for what it had sent."""
    called(ledger)
    stale = ledger.take("run", "a")
    ledger.reserve(stale, "unsent", "Outline", CALL, unsent=True)
    ledger.reserve(stale, "sent", "Outline", CALL)
    ledger.reserve(stale, "lost", "Outline", CALL)
    ledger.settle(Lease("run", "run", "nobody", 99, 0), "sent", USED)
    with pytest.raises(LeaseLost):
        ledger.settle("run", "unsent", USED)
    lease = ledger.take("run", "b", over_fence=stale.fence)
    assert ledger.settle(stale, "lost", USED).charged == USED
    with pytest.raises(ReservationClosed, match="released"):
        ledger.settle(stale, "unsent", USED)
    ledger.reserve(lease, "unsent", "Outline", CALL, unsent=True)
    with pytest.raises(LeaseLost):
        ledger.settle(stale, "unsent", USED)
    assert ledger.balance("run").spent == USED + USED


def test_a_lease_that_is_left_can_be_taken_without_force(ledger, clock):
    """A run that waits for a person may go on anywhere; until then its account is free."""
    called(ledger)
    first = ledger.take("run", "a")
    ledger.reserve(first, "k", "Outline", CALL)
    clock.ms += 5
    ledger.give_back(first)
    with pytest.raises(LeaseLost, match="was left at"):
        ledger.reserve(first, "j", "Outline", CALL)
    ledger.reserve("run", "l", "Outline", CALL)
    second = ledger.take("run", "b")
    assert second.fence == first.fence + 1
    assert [entry.status for entry in ledger.entries("run")] == ["in_doubt", "in_doubt"]


def test_who_gives_a_lease_back_leaves_no_call_open(ledger):
    """What may have been sent is charged in full, at once; a late answer still lowers that."""
    called(ledger)
    mine, other = ledger.take("run", "a"), ledger.take("run", "a", run="other")
    ledger.reserve(mine, "sent", "Outline", CALL)
    ledger.reserve(mine, "unsent", "Outline", CALL, unsent=True)
    ledger.reserve(other, "other", "Outline", CALL)
    ledger.give_back(mine)
    statuses = [entry.status for entry in ledger.entries("run")]
    assert statuses == ["in_doubt", "released", "pending"]
    assert ledger.settle(mine, "sent", USED).charged == USED
    assert (ledger.balance("run").spent, ledger.balance("run").reserved) == (USED, CALL)


def test_a_lease_that_was_left_and_taken_again_is_another(ledger):
    """What its owner still does under the first is refused."""
    called(ledger)
    first = ledger.take("run", "a")
    ledger.give_back(first)
    second = ledger.take("run", "a")
    with pytest.raises(LeaseLost):
        ledger.reserve(first, "k", "Outline", CALL)
    assert ledger.reserve(second, "k", "Outline", CALL).status == "pending"


def test_what_nobody_owned_is_given_up_by_the_first_take(ledger):
    """Whoever reserved without a lease cannot settle any more, so that it must not leak."""
    called(ledger, "k")
    ledger.take("run", "a")
    assert ledger.entries("run")[0].status == "in_doubt"


def test_runs_can_share_an_account(ledger):
    """Each has an owner of its own; all spend from one budget, and none touches another's calls."""
    ledger.open("pot", Budget(max_tokens=1_000))
    one = ledger.take("pot", "a", run="one")
    two = ledger.take("pot", "b", run="two")
    ledger.reserve(one, "1", "Outline", CALL)
    ledger.reserve(two, "2", "Outline", CALL)
    with pytest.raises(BudgetExceeded):
        ledger.reserve(two, "3", "Outline", Spend(1))
    for act in (ledger.release, ledger.charge_in_full, ledger.mark_sent):
        with pytest.raises(KeyReused, match="run 'one'"):
            act(two, "1")
    with pytest.raises(KeyReused, match="run 'one'"):
        ledger.settle(two, "1", USED)
    with pytest.raises(KeyReused, match="run 'one'"):
        ledger.reserve(two, "1", "Outline", CALL)


def test_a_take_over_touches_the_calls_of_its_run_only(ledger):
    """The other runs on the account go on as if nothing had happened."""
    ledger.open("pot", Budget(max_tokens=1_000))
    one = ledger.take("pot", "a", run="one")
    two = ledger.take("pot", "b", run="two")
    ledger.reserve(one, "1", "Outline", CALL)
    ledger.reserve(two, "2", "Outline", CALL)
    ledger.take("pot", "c", over_fence=one.fence, run="one")
    assert [entry.status for entry in ledger.entries("pot")] == ["in_doubt", "pending"]
    assert ledger.settle(two, "2", USED).charged == USED


def test_a_take_over_leaves_grants_alone(ledger):
    """The sub-agent has an owner of its own; the new parent finds its account, or reclaims it."""
    called(ledger)
    lease = ledger.take("run", "a")
    ledger.grant(lease, "sub", Budget(100, 0, None, 1))
    child = ledger.take("sub", "a")
    ledger.reserve(child, "k", "Outline", Spend(60))
    lease = ledger.take("run", "b", over_fence=lease.fence)
    assert ledger.entries("run")[0].status == "granted"
    assert ledger.settle(child, "k", Spend(50)).charged == Spend(50)
    assert ledger.reclaim(lease, "sub").status == "returned"
    assert ledger.balance("run").spent == Spend(50)


def test_anybody_may_reconcile(ledger):
    """What the provider's bill says is true whoever reads it out: also an owner that was lost."""
    called(ledger)
    stale = ledger.take("run", "a")
    ledger.reserve(stale, "k", "Outline", CALL)
    ledger.take("run", "b", over_fence=stale.fence)
    assert ledger.reconcile("run", "k", USED).charged == USED


def test_only_an_open_account_can_be_taken(ledger):
    """There is nothing to hold where no budget was given."""
    with pytest.raises(KeyError):
        ledger.take("run", "a")
