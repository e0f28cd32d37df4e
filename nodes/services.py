"""What the nodes work with: bound to them when the graph is built, never part of its state."""

from dataclasses import dataclass

from thrifty.budget import Budget, Spend, Step
from thrifty.executors.registry import Executors
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.run_clock import RunClock
from thrifty.models.metered import Models

CLOSING_MS = 100
"""Kept back of the latency: a call that is cut still has to be booked and reported."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that an agent stands on."""

    steps: tuple[Step, ...]
    """The catalog."""
    executors: Executors
    """Who can do the work, by name."""
    models: Models
    """The door to language models."""
    ledger: Ledger
    """The truth of what was reserved and spent."""
    clock: RunClock
    """The active time of runs."""
    budget: Budget
    """The limits of a run that was given none."""

    def spent(self, run_id: str, known_ms: int) -> Spend:
        """What a run has spent until now; latency is its active time."""
        spent = self.ledger.balance(run_id).spent
        active_ms = self.clock.active_ms(run_id, known_ms)
        return Spend(spent.tokens, spent.cost_nano_usd, active_ms, spent.tool_calls)

    def left_ms(self, run_id: str, known_ms: int) -> int | None:
        """How long a call may take from now; None without a limit."""
        limit_ms = self.left(run_id, known_ms).max_latency_ms
        return None if limit_ms is None else max(0, limit_ms - CLOSING_MS)

    def left(self, run_id: str, known_ms: int) -> Budget:
        """What a run may still reserve, and the latency it has left."""
        balance = self.ledger.balance(run_id)
        taken = balance.spent + balance.reserved
        active_ms = self.clock.active_ms(run_id, known_ms)
        return balance.budget.left_after(
            Spend(taken.tokens, taken.cost_nano_usd, active_ms, taken.tool_calls)
        )
