"""The active runs of this process: who drives each one, by which lease, and for how long.

One invocation of the agent drives a run at a time, in one process. Of two that resume it at
once, the ledger's lease lets one go on. An invocation takes it with its first node, and gives it
back when it has ended, however it ended, and the last of its nodes has returned.

The time of a run is counted while an invocation drives it, and the clock is monotonic: nothing
is won or lost by a changed system time, nor while a run waits for a person or for a resume.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from thrifty.budget import LeaseLost, LedgerUnavailable
from thrifty.budget.clock import NANO_PER_MS
from thrifty.ledger.owner import process_name, take_or_take_over
from thrifty.ledger.protocol import AccountOrLease, Lease, Ledger

T = TypeVar("T")

CURRENT_DRIVER: ContextVar[str] = ContextVar("thrifty_driver", default="")
"""The invocation that a node runs for, by the name under which it holds leases."""


@dataclass(slots=True)
class _ActiveRun:
    """A run that an invocation of this process drives."""

    lease: Lease
    started_ns: int
    running_nodes: int = 0
    """How many nodes of it are running now."""
    is_over: bool = False
    cache: dict[Callable[[], Any], Any] = field(default_factory=dict)


class ActiveRuns:
    """The runs of one agent in this process."""

    def __init__(self, ledger: Ledger, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.ledger = ledger
        self._now_ns = now_ns
        self._active: dict[str, _ActiveRun] = {}
        self._unreturned_leases: dict[str, Lease] = {}
        """Leases of ended invocations that the ledger could not take back yet."""
        self._lock = Lock()
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
        active = self._enter_run(run_id, CURRENT_DRIVER.get() or process_name(), known_ms)
        try:
            yield
        finally:
            with self._lock:
                active.running_nodes -= 1
            self._forget_if_over(run_id, active)

    def end_invocation(self, driver: str) -> None:
        """Returns the leases of an invocation; where nodes still run, the last of them does."""
        with self._lock:
            ended = [pair for pair in self._active.items() if pair[1].lease.owner == driver]
            for _, active in ended:
                active.is_over = True
        for run_id, active in ended:
            self._forget_if_over(run_id, active)

    def retry_lease_returns(self) -> None:
        """Returns leases that the ledger did not take back when their invocations ended.

        Else a run would seem to be driven for as long as this process lives.
        """
        for run_id, lease in list(self._unreturned_leases.items()):
            self._return_lease(run_id, lease)

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
                active.running_nodes += 1
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
            active.running_nodes += 1
            return active

    def _take_lease(self, run_id: str, driver: str) -> Lease:
        try:
            return take_or_take_over(self.ledger, run_id, driver)
        except KeyError:
            raise LedgerUnavailable(
                f"the ledger knows nothing of the run {run_id!r}, which has begun; go on with the "
                "user, thread and ledger that it began with, or restore the ledger from a backup"
            ) from None

    def _forget_if_over(self, run_id: str, active: _ActiveRun) -> None:
        with self._lock:
            is_forgotten = self._active.get(run_id) is not active
            if is_forgotten or not active.is_over or active.running_nodes:
                return
            del self._active[run_id]
        self._return_lease(run_id, active.lease)

    def _return_lease(self, run_id: str, lease: Lease) -> None:
        """Returns a lease. Where the ledger cannot be written, the next run tries again."""
        try:
            with suppress(LeaseLost):  # somebody has taken it over
                self.ledger.give_back(lease)
            self._unreturned_leases.pop(run_id, None)
        except LedgerUnavailable:
            self._unreturned_leases[run_id] = lease
