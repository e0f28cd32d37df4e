"""Promise: SIGKILL at any point of a call, and no spend is lost and none is counted twice.

A process is killed at a point; another takes its run over and finishes the call as a resume
does. A file plays the provider: a line in it is a request that was answered and billed.
"""

import os
import signal

import pytest

from tests.harness.fork import fork_to
from tests.harness.ledger_address import open_ledger
from thrifty.budget import Budget, Spend
from thrifty.ledger.owner import process_name, take_or_take_over

WORST, BILLED = Spend(500, 900, 0, 1), Spend(300, 600, 20, 1)
ANSWER = "the answer"

POINTS = {
    "before it took the run": "nothing",
    "before it reserved": "nothing",
    "while it reserved": "nothing",
    "before it marked it sent": "released",
    "while it marked it sent": "released",
    "before it sent": "in_doubt",
    "before it settled": "in_doubt",
    "while it settled": "in_doubt",
    "after it settled": "settled",
}
"""Where the process is killed, and what the next owner finds under the key."""


class Life:
    """One call, which ends at a point if it is told to."""

    def __init__(self, address, bill, killed_at=None):
        self.ledger, self.bill, self.killed_at = open_ledger(address), bill, killed_at
        self.ledger.open("run", Budget(max_tokens=10_000))

    def reach(self, point):
        if point == self.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def within(self, doing, act):
        """Does an act, and ends within its transaction if it is told to."""
        store = self.ledger._storage
        write = store.write

        def cut(work, call=None):
            def doomed(tables):
                result = work(tables)
                self.reach(f"while it {doing}")
                return result

            return write(doomed, call)

        store.write = cut
        try:
            return act()
        finally:
            store.write = write

    def finish(self, key="k"):
        """Makes the call, as its first owner or as one that resumes it."""
        self.reach("before it took the run")
        lease = take_or_take_over(self.ledger, "run", process_name())
        self.reach("before it reserved")
        reserve = self.ledger.reserve
        entry = self.within("reserved", lambda: reserve(lease, key, "Outline", WORST, unsent=True))
        if entry.status == "settled":
            return entry
        if entry.status == "in_doubt":
            return self.finish(f"{key}, again")
        self.reach("before it marked it sent")
        self.within("marked it sent", lambda: self.ledger.mark_sent(lease, key))
        self.reach("before it sent")
        with self.bill.open("a") as bill:
            bill.write(f"{BILLED.tokens}\n")
        self.reach("before it settled")
        entry = self.within("settled", lambda: self.ledger.settle(lease, key, BILLED, ANSWER))
        self.reach("after it settled")
        return entry


@pytest.mark.parametrize("point", POINTS)
def test_a_process_is_killed_at_any_point_of_a_call(address, tmp_path, point):
    """The next owner knows what became of it, and pays twice only where nobody can know."""
    bill = tmp_path / "bill"
    bill.touch()
    child = fork_to(lambda: Life(address, bill, point).finish())
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])

    resumed = Life(address, bill)
    take_or_take_over(resumed.ledger, "run", process_name())
    entries = resumed.ledger.entries("run")
    assert (entries[0].status if entries else "nothing") == POINTS[point]
    assert resumed.ledger.balance("run").reserved == Spend()

    assert resumed.finish().answer == ANSWER
    paid = [int(line) for line in bill.read_text().splitlines()]
    spent = resumed.ledger.balance("run").spent
    assert spent.tokens >= sum(paid)
    assert len(paid) == (2 if point in ("before it settled", "while it settled") else 1)
    in_doubt = POINTS[point] == "in_doubt"
    assert spent.tokens == BILLED.tokens + (WORST.tokens if in_doubt else 0)
    resumed.ledger.disconnect()
