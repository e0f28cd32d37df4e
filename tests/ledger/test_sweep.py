"""The contract of every ledger: calls that nobody will close any more are found and closed."""

import os
import signal
import subprocess
import sys

import pytest

from tests.harness.fork import fork_to
from tests.harness.ledger_address import open_ledger
from tests.ledger.shorthand import CALL, USED, left
from thrifty.budget import Budget, BudgetExceeded, ReservationClosed, Spend
from thrifty.ledger import base_ledger, sweep
from thrifty.ledger.owner import process_name
from thrifty.ledger.sweep import PENDING_MS_MAX, UNSENT_MS_MAX

SCRIPT = """
import sys, time
from tests.harness.ledger_address import open_ledger
from thrifty.budget import Spend
ledger = open_ledger(sys.argv[1])
ledger.reserve(sys.argv[2], "sent", "Outline", Spend(500, 900, 0, 1))
ledger.reserve(sys.argv[2], "unsent", "Outline", Spend(100, 0, 0, 1), unsent=True)
print("reserved", flush=True)
time.sleep(600)
"""


def left_by_the_killed(address, account):
    """Has another process reserve a call that was sent and one that was not, and kills it."""
    command = [sys.executable, "-c", SCRIPT, address, account]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "reserved\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def statuses(ledger, account):
    return {entry.key: entry.status for entry in ledger.entries(account)}


def reserved_by(ledger, owner, *calls):
    """Reserves calls under the name of another process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_ledger, "process_name", lambda: owner)
        for account, key, unsent in calls:
            ledger.reserve(account, key, "Outline", CALL, unsent=unsent)


@pytest.fixture
def books(address):
    ledger = open_ledger(address)
    ledger.open("team", Budget(max_tokens=1_000))
    ledger.open("run", Budget(), parent="team")
    ledger.open("other", Budget())
    yield ledger
    ledger.disconnect()


def test_what_a_killed_process_left_open_is_closed(books, address):
    """Sent: charged in full. Never sent: free. And what we have open ourselves stays."""
    left_by_the_killed(address, "run")
    books.reserve("run", "mine", "Outline", Spend(200))
    assert books.balance("team").reserved == Spend(800, 900, 0, 2)
    swept = books.sweep()
    assert [(e.key, e.status, e.charged) for e in swept] == [
        ("sent", "in_doubt", CALL),
        ("unsent", "released", Spend()),
    ]
    assert swept[0].owner != process_name()
    assert statuses(books, "run") == {"sent": "in_doubt", "unsent": "released", "mine": "pending"}
    balance = books.balance("team")
    assert (balance.spent, balance.reserved) == (CALL, Spend(200))
    assert books.sweep() == ()


def test_a_late_answer_settles_what_was_swept(books, address):
    """Whoever comes by it: the charge is lowered in every account."""
    left_by_the_killed(address, "run")
    books.sweep()
    assert books.settle("run", "sent", USED, "an answer").answer == "an answer"
    assert books.balance("team").spent == USED
    with pytest.raises(ReservationClosed, match="released"):
        books.settle("run", "unsent", USED)


def test_a_refused_call_sweeps_and_is_tried_once_more(books, address):
    """What the dead hold and never sent is there for the living."""
    left_by_the_killed(address, "run")
    assert left(books, "team")[0] == 400
    assert books.reserve("team", "k", "Outline", Spend(500)).status == "pending"
    assert statuses(books, "run") == {"sent": "in_doubt", "unsent": "released"}
    with pytest.raises(BudgetExceeded) as refusal:
        books.reserve("team", "l", "Outline", Spend(1))
    assert (refusal.value.account, refusal.value.missing) == ("team", {"tokens": 1})


def test_a_call_that_fits_sweeps_nothing(books, address):
    left_by_the_killed(address, "run")
    books.reserve("run", "k", "Outline", Spend(400))
    assert statuses(books, "run")["sent"] == "pending"


def test_only_what_is_below_is_swept(books, address):
    left_by_the_killed(address, "run")
    left_by_the_killed(address, "other")
    assert {entry.account for entry in books.sweep("team")} == {"run"}
    assert statuses(books, "other") == {"sent": "pending", "unsent": "unsent"}
    assert [entry.account for entry in books.sweep("other")] == ["other", "other"]


def test_what_was_booked_in_an_account_is_swept_though_it_moved_away(books, address):
    """It holds of the limits there."""
    left_by_the_killed(address, "run")
    books.move("run", "other")
    assert len(books.sweep("team")) == 2
    assert books.balance("team").reserved == Spend()


def test_a_fork_that_ended_is_gone_too(books):
    child = fork_to(lambda: books.reserve("run", "k", "Outline", CALL))
    assert os.waitpid(child, 0)[1] == 0
    (entry,) = books.entries("run")
    assert entry.owner != process_name()
    assert [each.key for each in books.sweep()] == ["k"]


def test_calls_of_a_process_that_may_be_there_are_swept_by_age(ledger, clock):
    """On another machine, say. Older than any call can be; that of an unsent one is shorter."""
    ledger.open("run", Budget())
    reserved_by(ledger, "pid 1 on a machine elsewhere", ("run", "sent", False))
    clock.ms += PENDING_MS_MAX - UNSENT_MS_MAX
    reserved_by(ledger, "pid 1 on a machine elsewhere", ("run", "unsent", True))
    reserved_by(ledger, "pid 1 on a machine elsewhere", ("run", "young", False))
    clock.ms += UNSENT_MS_MAX
    assert ledger.sweep() == ()
    clock.ms += 1
    assert [(e.key, e.status) for e in ledger.sweep()] == [
        ("sent", "in_doubt"),
        ("unsent", "released"),
    ]
    assert statuses(ledger, "run")["young"] == "pending"
    with pytest.raises(ReservationClosed, match="released"):
        ledger.mark_sent("run", "unsent")


def test_our_own_calls_are_swept_by_age_too(ledger, clock):
    """A thread of ours may have been lost."""
    ledger.open("run", Budget())
    ledger.reserve("run", "k", "Outline", CALL)
    clock.ms += PENDING_MS_MAX
    assert ledger.sweep() == ()
    clock.ms += 1
    assert [entry.status for entry in ledger.sweep()] == ["in_doubt"]


def test_a_clock_that_is_put_back_makes_nothing_old(ledger, clock):
    ledger.open("run", Budget())
    ledger.reserve("run", "k", "Outline", CALL, unsent=True)
    clock.ms -= 10 * PENDING_MS_MAX
    assert ledger.sweep() == ()


def test_a_process_that_ends_sweeps_its_own(ledger):
    """And nobody else's, however long they are gone."""
    ledger.open("run", Budget())
    ledger.open("other", Budget())
    reserved_by(ledger, "somebody", ("run", "theirs", False))
    ledger.reserve("run", "mine", "Outline", CALL)
    ledger.reserve("other", "mine", "Outline", CALL, unsent=True)
    assert [e.account for e in ledger.sweep("run", owner=process_name())] == ["run"]
    assert [e.account for e in ledger.sweep(owner=process_name())] == ["other"]
    assert statuses(ledger, "run") == {"theirs": "pending", "mine": "in_doubt"}
    assert statuses(ledger, "other") == {"mine": "released"}


def test_what_is_held_for_a_sub_agent_is_not_swept(ledger, clock):
    """Only its calls are. It may come back for the rest, or its parent reclaims it."""
    ledger.open("run", Budget(max_tokens=1_000))
    ledger.grant("run", "sub", Budget(max_tokens=600))
    ledger.reserve("sub", "k", "Outline", CALL)
    clock.ms += 30 * PENDING_MS_MAX
    assert [entry.account for entry in ledger.sweep("run")] == ["sub"]
    assert ledger.entry("run", "sub").status == "granted"
    assert ledger.entry("run", "sub").reserved.tokens == 100
    assert left(ledger, "run")[0] == 400


def test_what_was_closed_in_between_is_left_as_it_is(ledger):
    """A sweep looks first, and closes what is still as it saw it."""
    ledger.open("run", Budget())
    for key in ("settled", "sent", "open"):
        ledger.reserve("run", key, "Outline", CALL, unsent=True)
    seen = ledger._storage.read(lambda t: sweep.find_abandoned(t, None, process_name()))
    assert [entry.key for entry in seen] == ["settled", "sent", "open"]
    ledger.settle("run", "settled", USED)
    ledger.mark_sent("run", "sent")
    closed = ledger._storage.write(lambda t: sweep.close_entries(t, seen))
    assert [(entry.key, entry.status) for entry in closed] == [("open", "released")]
    assert statuses(ledger, "run") == {"settled": "settled", "sent": "pending", "open": "released"}


def test_a_swept_call_asks_for_no_lease(ledger, clock):
    """Nothing is freed that could still be billed, so it does not matter who sweeps."""
    ledger.open("run", Budget())
    lease = ledger.take("run", "a")
    ledger.reserve(lease, "k", "Outline", CALL)
    clock.ms += PENDING_MS_MAX + 1
    assert [entry.key for entry in ledger.sweep()] == ["k"]
    assert ledger.settle(lease, "k", USED).charged == USED
    assert ledger.owner_of("run") == "a"
