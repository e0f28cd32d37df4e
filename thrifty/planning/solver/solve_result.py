"""The limits of an engine's effort, and the result that it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic_ns

from thrifty.budget.clock import NANO_PER_S
from thrifty.planning.solver.knapsack_item import KnapsackItem

NODES_MAX = 20_000_000


@dataclass(frozen=True, slots=True)
class SolveLimits:
    """How much effort an engine may spend. Nodes are counted, so that a plan is the same on a
    slow machine. The deadline is there for the worst case only."""

    nodes_max: int = NODES_MAX
    deadline_ns: int | None = None
    """A reading of the clock after which the best so far is returned."""
    gap: float = 0.0
    """A plan that is this near its bound, as a share of the bound, need not be proven best."""
    clock_ns: Callable[[], int] = monotonic_ns

    def sufficient_bound(self, value: float) -> float:
        """The bound that suffices to accept a plan of this value without a proof."""
        return value / (1.0 - self.gap)

    def is_past_deadline(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline_ns is not None and self.clock_ns() >= self.deadline_ns

    def seconds_left(self) -> float:
        """The time to the deadline."""
        if self.deadline_ns is None:
            return inf
        return max(0.0, (self.deadline_ns - self.clock_ns()) / NANO_PER_S)


LIMITS_DEFAULT = SolveLimits()


@dataclass(frozen=True, slots=True)
class SolveResult:
    """The plan that an engine found, and what it has proven of it."""

    items: tuple[KnapsackItem, ...]
    """The chosen items; none when there is no plan."""
    bound: int
    """No plan is worth more than this many units."""
    nodes: int = 0
    is_proven: bool = True
    """Whether the search ended by itself: then the plan is best, or there is none."""
    is_plan: bool = True
    """Whether the chosen items are a plan."""
