"""The active runs of this process: who drives each one, by which lease, and for how long.

One invocation of the agent drives a run at a time, in one process. Of two that resume it at
once, the ledger's lease lets one go on. An invocation takes it with its first node, and gives it
back when it has ended, however it ended, and the last of its nodes has returned.

A Ctrl-C may come between any two steps here. So a run is claimed before its lease is taken, and
the claim is dropped only once the lease is given back. Nodes are counted by their threads: an
invocation that ends has none any more in the thread in which it ends.

The time of a run is counted while an invocation drives it, and the clock is monotonic: nothing
is won or lost by a changed system time, nor while a run waits for a person or for a resume.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import RLock, get_ident
from typing import Any, NamedTuple, TypeVar

from thrifty.budget import LeaseLost, LedgerUnavailable
from thrifty.budget.clock import ACTIVE_CLOCK, NANO_PER_MS
from thrifty.ledger.owner import end_owner, process_name, take_or_take_over
from thrifty.ledger.process_exit import LEASES, register_exit_aware, stop_if_ending
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease, Lease

T = TypeVar("T")

CURRENT_DRIVER: ContextVar[str] = ContextVar("thrifty_driver", default="")
"""The invocation that a node runs for, by the name under which it holds leases."""


class _Claim(NamedTuple):
    """That an invocation has, or may have, the lease of a run."""

    run_id: str
    driver: str


@dataclass(slots=True)
class _ActiveRun:
    """A run that an invocation of this process drives."""

    lease: Lease
    started_ns: int
    nodes: Counter[int] = field(default_factory=Counter)
    """How many nodes of it are running now, by the thread that each runs in."""
    cache: dict[Callable[[], Any], Any] = field(default_factory=dict)


class ActiveRuns:
    """The runs of one agent in this process."""

    def __init__(self, ledger: Ledger, now_ns: Callable[[], int] = ACTIVE_CLOCK.now_ns) -> None:
        self.ledger = ledger
        self._now_ns = now_ns
        self._active: dict[str, _ActiveRun] = {}
        self._claims: dict[_Claim, Lease | None] = {}
        """What is to be given back, with the lease once it is known."""
        self._over: set[str] = set()
        """The drivers that have ended and may still have claims."""
        # One that a thread can take twice: a signal's handler may run an agent, too.
        self._lock = RLock()
        self._pid = os.getpid()
        register_exit_aware(self, LEASES)
        process_name()  # read from files the first time, which an event loop should not wait for

    @contextmanager
    def track_node(self, run_id: str, known_ms: Callable[[], int]) -> Iterator[None]:
        """Counts a node of a run while it runs. The first one of an invocation takes the run.

        Args:
            run_id: whose node it is.
            known_ms: how long the run had been active when its state was written. Only the
                first node asks.

        Raises:
            LeaseLost: another invocation drives the run, here or in another process.
        """
        stop_if_ending()
        self._leave_to_parent()
        driver = CURRENT_DRIVER.get() or process_name()
        with ACTIVE_CLOCK.watch():
            active = self._enter_run(run_id, driver, known_ms)
            try:
                yield
            finally:
                stop_if_ending()
                with self._lock:
                    active.nodes[get_ident()] -= 1
                self._return_if_over(driver)

    def end_invocation(self, driver: str) -> None:
        """Returns the leases of an invocation; where nodes still run, the last of them does.

        To do it again changes nothing.
        """
        self._leave_to_parent()
        with self._lock:
            self._over.add(driver)
            for active in self._active.values():
                if active.lease.owner == driver:
                    # None runs here any more; one that was interrupted may still be counted.
                    active.nodes.pop(get_ident(), None)
        self._return_if_over(driver)

    def end_process(self) -> None:
        """Returns the leases of all invocations, as none of them goes on."""
        self._leave_to_parent()
        for claim in tuple(self._claims):
            end_owner(claim.driver)
            self._return_lease(claim)

    def is_running(self, driver: str) -> bool:
        """Whether a node of an invocation is running now."""
        with self._lock:
            mine = [active for active in self._active.values() if active.lease.owner == driver]
            return any(count > 0 for active in mine for count in active.nodes.values())

    def retry_lease_returns(self) -> None:
        """Returns leases that the ledger did not take back when their invocations ended.

        Else a run would seem to be driven for as long as this process lives.
        """
        for driver in tuple(self._over):
            self._return_if_over(driver)

    def account_or_lease(self, run_id: str) -> AccountOrLease:
        """What is shown to the ledger to spend as a run."""
        active = self._active.get(run_id)
        return active.lease if active else run_id

    def active_ms(self, run_id: str, known_ms: int) -> int:
        """How long a run has been active. Of one that is not active here, the caller's figure."""
        active = self._active.get(run_id)
        if active is None:
            return known_ms
        return max(known_ms, (self._now_ns() - active.started_ns) // NANO_PER_MS)

    def get_or_make(self, run_id: str, make: Callable[[], T]) -> T:
        """Makes something once while an invocation drives a run, and forgets it at its end.

        For a run that is not active here, each call makes it anew.
        """
        active = self._active.get(run_id)
        if active is None:
            return make()
        if make not in active.cache:
            active.cache[make] = make()
        result: T = active.cache[make]
        return result

    def _enter_run(self, run_id: str, driver: str, known_ms: Callable[[], int]) -> _ActiveRun:
        with self._lock:
            active = self._active.get(run_id)
            if active and active.lease.owner == driver:
                active.nodes[get_ident()] += 1
                return active
        self.retry_lease_returns()
        active_ms = known_ms()  # a state that cannot be read leaves no lease behind
        lease = self._take_lease(run_id, driver)
        started_ns = self._now_ns() - active_ms * NANO_PER_MS
        with self._lock:
            # Nodes side by side may come here together: the ledger gives them the same lease.
            active = self._active.get(run_id)
            if active is None or active.lease != lease:
                active = self._active[run_id] = _ActiveRun(lease, started_ns)
            self._claims[_Claim(run_id, driver)] = lease
            active.nodes[get_ident()] += 1
            return active

    def _take_lease(self, run_id: str, driver: str) -> Lease:
        claim = _Claim(run_id, driver)
        self._claims.setdefault(claim)
        try:
            return take_or_take_over(self.ledger, run_id, driver)
        except LeaseLost:
            self._claims.pop(claim, None)
            raise
        except KeyError:
            self._claims.pop(claim, None)
            raise LedgerUnavailable(
                f"the ledger knows nothing of the run {run_id!r}, which has begun; go on with the "
                "user, thread and ledger that it began with, or restore the ledger from a backup"
            ) from None

    def _return_if_over(self, driver: str) -> None:
        """Returns what an invocation holds, once it has ended and no node of it runs any more."""
        with self._lock:
            if driver not in self._over or self.is_running(driver):
                return
        # First of all, so that whatever happens next, others here may take its runs over.
        end_owner(driver)
        claims = [claim for claim in tuple(self._claims) if claim.driver == driver]
        are_returned = [self._return_lease(claim) for claim in claims]
        if all(are_returned):
            self._over.discard(driver)

    def _return_lease(self, claim: _Claim) -> bool:
        """Returns a lease; False where the ledger cannot be written, and the next run tries."""
        with self._lock:
            active = self._active.get(claim.run_id)
            if active is not None and active.lease.owner == claim.driver:
                del self._active[claim.run_id]
        try:
            self._give_back(claim)
        except LedgerUnavailable:
            return False
        self._claims.pop(claim, None)
        return True

    def _leave_to_parent(self) -> None:
        """Knows of no run in a fork: its parent drives them, and nobody here frees the lock."""
        if self._pid != os.getpid():
            self.__init__(self.ledger, self._now_ns)  # type: ignore[misc]

    def _give_back(self, claim: _Claim) -> None:
        lease = self._claims.get(claim)
        if lease is None:  # whoever took it was interrupted before it knew
            if self.ledger.owner_of(claim.run_id) != claim.driver:
                return
            lease = self.ledger.take(claim.run_id, claim.driver)
        with suppress(LeaseLost):  # somebody has taken it over
            self.ledger.give_back(lease)
