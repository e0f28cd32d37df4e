"""The runs that are at work in this process: who drives each, by which lease, for how long.

A run is driven by one invocation of the agent at a time, in one process. Two that resume it at
once are told apart by the ledger's lease, which the invocation takes with its first node and
gives back when it has ended, however it ended, and the last of its nodes is back.

The time of a run is counted while an invocation drives it, and the clock is monotonic: nothing
is won or lost by a changed system time, nor by waiting for a person or for a resume.
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
from thrifty.ledger.owner import hold, this_process
from thrifty.ledger.protocol import Account, Lease, Ledger

T = TypeVar("T")

DRIVER: ContextVar[str] = ContextVar("thrifty_driver", default="")
"""The invocation that a node runs for, by the name under which it holds leases."""


@dataclass(slots=True)
class _Turn:
    """An invocation's hold of a run."""

    lease: Lease
    started_ns: int
    nodes: int = 0
    """How many nodes of it are running now."""
    is_over: bool = False
    kept: dict[Callable[[], Any], Any] = field(default_factory=dict)


class RunsAtWork:
    """The runs of one agent in this process."""

    def __init__(self, ledger: Ledger, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.ledger = ledger
        self._now_ns = now_ns
        self._turns: dict[str, _Turn] = {}
        self._not_given_back: dict[str, Lease] = {}
        """Leases of invocations that are over, which the ledger could not be told."""
        self._lock = Lock()
        this_process()  # read from files the first time, which an event loop should not wait for

    @contextmanager
    def node(self, run_id: str, known_ms: Callable[[], int]) -> Iterator[None]:
        """Brackets a node of a run; the first one of an invocation takes the run.

        Args:
            run_id: whose node it is.
            known_ms: how long the run had been active when its state was written; only the
                first node asks.

        Raises:
            LeaseLost: another invocation drives the run, here or in another process.
        """
        turn = self._join(run_id, DRIVER.get() or this_process(), known_ms)
        try:
            yield
        finally:
            with self._lock:
                turn.nodes -= 1
            self._leave_if_over(run_id, turn)

    def end(self, driver: str) -> None:
        """Gives back what an invocation held; what it still runs is given back as it returns."""
        with self._lock:
            ended = [(run, turn) for run, turn in self._turns.items() if turn.lease.owner == driver]
            for _, turn in ended:
                turn.is_over = True
        for run_id, turn in ended:
            self._leave_if_over(run_id, turn)

    def give_back_what_is_over(self) -> None:
        """Gives back leases of which the ledger could not be told when their invocations ended.

        Else a run would seem to be driven for as long as this process lives.
        """
        for run_id, lease in list(self._not_given_back.items()):
            self._give_back(run_id, lease)

    def account(self, run_id: str) -> Account:
        """What is shown to the ledger to spend as a run."""
        turn = self._turns.get(run_id)
        return turn.lease if turn else run_id

    def active_ms(self, run_id: str, known_ms: int) -> int:
        """How long a run has been active; one that is not at work, as long as was known."""
        turn = self._turns.get(run_id)
        if turn is None:
            return known_ms
        return max(known_ms, (self._now_ns() - turn.started_ns) // NANO_PER_MS)

    def kept(self, run_id: str, make: Callable[[], T]) -> T:
        """Something that is made once while an invocation drives a run, and forgotten with it.

        For a run that is not at work it is made each time.
        """
        turn = self._turns.get(run_id)
        kept: dict[Callable[[], Any], Any] = turn.kept if turn else {}
        if make not in kept:
            kept[make] = make()
        made: T = kept[make]
        return made

    def _join(self, run_id: str, driver: str, known_ms: Callable[[], int]) -> _Turn:
        with self._lock:
            turn = self._turns.get(run_id)
            if turn and turn.lease.owner == driver:
                turn.nodes += 1
                return turn
        self.give_back_what_is_over()
        active_ms = known_ms()  # a state that cannot be read leaves no lease behind
        lease = self._taken(run_id, driver)
        with self._lock:
            fresh = _Turn(lease, self._now_ns() - active_ms * NANO_PER_MS)
            # Nodes side by side may come here together: they are handed the same lease.
            turn = self._turns[run_id] = self._held(run_id, lease) or fresh
            turn.nodes += 1
            return turn

    def _taken(self, run_id: str, driver: str) -> Lease:
        try:
            return hold(self.ledger, run_id, driver)
        except KeyError:
            raise LedgerUnavailable(
                f"the ledger knows nothing of the run {run_id!r}, which has begun; "
                "use the ledger that it began with, or restore it from a backup"
            ) from None

    def _held(self, run_id: str, lease: Lease) -> _Turn | None:
        turn = self._turns.get(run_id)
        return turn if turn and turn.lease == lease else None

    def _leave_if_over(self, run_id: str, turn: _Turn) -> None:
        with self._lock:
            if not turn.is_over or turn.nodes or self._turns.get(run_id) is not turn:
                return
            del self._turns[run_id]
        self._give_back(run_id, turn.lease)

    def _give_back(self, run_id: str, lease: Lease) -> None:
        """Gives a lease back; where the books cannot be written, with the next run's work."""
        try:
            with suppress(LeaseLost):  # somebody has taken it over
                self.ledger.leave(lease)
            self._not_given_back.pop(run_id, None)
        except LedgerUnavailable:
            self._not_given_back[run_id] = lease
