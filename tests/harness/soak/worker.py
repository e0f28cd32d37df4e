"""One process of a soak: reserves, is billed, settles, and hands shares to sub-agents of its own.

    python -m tests.harness.soak.worker ADDRESS POT RUN SHARE FOLDER SEED

It says in the folder that it is ready, begins when it finds there that it may, and calls until
its share is done or it finds that all is over. A file there, to which it appends before it
settles, plays the provider. It may be killed anywhere.
"""

import logging
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.harness.ledger_address import open_ledger
from thrifty.budget import (
    Budget,
    BudgetExceeded,
    LeaseLost,
    LedgerUnavailable,
    ReservationClosed,
    Spend,
)
from thrifty.ledger.records import Lease

T = TypeVar("T")

TOKENS_A_CALL = 1_000
CALLS_A_GRANT = 10
GRANTS = 0.1
"""How often a worker hands a share to a sub-agent instead of calling itself."""
PAUSE_S = 0.01
BILL, BEGIN, OVER = "bill", "begin", "over"
"""Files of a soak."""


def ready(run: str, seed: str) -> str:
    """The file by which a worker says that it holds its run."""
    return f"{run} {seed} is ready"


def budget(calls: int) -> Budget:
    """A limit on calls that binds, and two that nearly do."""
    return Budget(max_tokens=calls * TOKENS_A_CALL, max_cost_usd=calls, max_tool_calls=calls)


class Worker:
    """A run of the pot, and what it does in it."""

    def __init__(self, address: str, pot: str, run: str, folder: Path, seed: str) -> None:
        self.ledger, self.rng = open_ledger(address), random.Random(seed)
        self.pot, self.run = pot, run
        self.owner = f"pid {os.getpid()}"
        self.lease = insist(lambda: self.take(pot, run))
        self.folder = folder
        self.provider = os.open(folder / BILL, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        (folder / ready(run, seed)).touch()
        self.made = self.grants = 0

    def take(self, account: str, run: str | None = None) -> Lease:
        """Takes a run whose last owner, if it had one, was killed."""
        try:
            return self.ledger.take(account, self.owner, run=run)
        except LeaseLost as lost:
            return self.ledger.take(account, self.owner, over_fence=lost.fence, run=run)

    def work(self, share: int) -> None:
        """Calls until its share is done or all is over."""
        while not (self.folder / BEGIN).exists():
            time.sleep(PAUSE_S)
        before = [e for e in insist(lambda: self.ledger.entries(self.pot)) if e.run == self.run]
        for entry in before:
            if entry.status == "granted":
                self.reclaim(entry.key)  # its owner was killed
        self.have_a_sub_agent_call()
        while len(before) + self.made < share and not (self.folder / OVER).exists():
            if self.rng.random() < GRANTS:
                self.have_a_sub_agent_call()
            else:
                self.call(self.lease)
        insist(lambda: self.ledger.give_back(self.lease))

    def have_a_sub_agent_call(self) -> None:
        """A share of the pot, a few calls from it, and what is left goes back."""
        self.grants += 1
        child = f"{self.pot}/{self.run}/{self.lease.fence}/{self.grants}"
        share = budget(CALLS_A_GRANT)
        self.patiently(lambda: self.ledger.grant(self.lease, child, share))
        lease = insist(lambda: self.take(child))
        for _ in range(self.rng.randrange(CALLS_A_GRANT)):
            self.call(lease)
        self.reclaim(child)

    def reclaim(self, child: str) -> None:
        insist(lambda: self.ledger.reclaim(self.lease, child))

    def call(self, lease: Lease) -> None:
        """One call, which ends in one of the ways there are."""
        self.made += 1
        rng, ledger = self.rng, self.ledger
        key = f"{self.run}/{self.lease.fence}/{self.made}"
        worst = Spend(rng.randrange(1, TOKENS_A_CALL), rng.randrange(10**9), 0, 1)
        unsent = rng.random() < 0.5
        self.patiently(lambda: ledger.reserve(lease, key, "call", worst, unsent=unsent))
        way = rng.random()
        if way < 0.1:
            insist(lambda: ledger.release(lease, key))
            return
        if unsent and not self.marked(lease, key):
            insist(lambda: ledger.charge_in_full(lease, key))
            return
        actual = Spend(rng.randrange(worst.tokens + 1), worst.cost_nano_usd // 2, 5, 1)
        os.write(self.provider, f"{lease.account} {key} {actual.tokens}\n".encode())
        if way < 0.2:
            insist(lambda: ledger.charge_in_full(lease, key, 5))
        else:
            insist(lambda: ledger.settle(lease, key, actual, f"the answer to {key}"))

    def marked(self, lease: Lease, key: str) -> bool:
        """Whether it is ours to send: a database that is cut off may have marked it untold."""
        try:
            insist(lambda: self.ledger.mark_sent(lease, key))
        except ReservationClosed:
            return False
        return True

    def patiently(self, act: Callable[[], object]) -> None:
        """Does what needs room, which others may have to make."""
        while True:
            try:
                insist(act)
            except BudgetExceeded:
                time.sleep(PAUSE_S)
            else:
                return


def insist(act: Callable[[], T]) -> T:
    """Does it anew until the ledger can be written: twice under one key is once."""
    while True:
        try:
            return act()
        except LedgerUnavailable:
            time.sleep(PAUSE_S)


def main() -> None:
    logging.disable(logging.WARNING)  # of a database that is cut off on purpose
    address, pot, run, share, folder, seed = sys.argv[1:]
    Worker(address, pot, run, Path(folder), seed).work(int(share))


if __name__ == "__main__":
    main()
