"""The problem as the engines see it: a knapsack in whole numbers, without options that cannot fit.

Values are whole multiples of one unit (the greatest common divisor of all values), so that a
bound can be rounded down and no engine ever compares two roundings of one sum.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest

from thrifty.planning import risk
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.makespan import MakespanLimit, list_waits, makespan
from thrifty.planning.solver.running_order import order_items

MICRO = 1_000_000
"""Values are kept as whole millionths."""


@dataclass(frozen=True, slots=True)
class KnapsackModel:
    """Choose at most one item a step. Steps are sorted by name, so that order has no influence."""

    items: tuple[tuple[KnapsackItem, ...], ...]
    """The items of each step, none dominated by another; in no particular order."""
    requires: tuple[tuple[int, ...], ...]
    """For each step, the numbers of those that must be chosen with it."""
    is_required: tuple[bool, ...]
    """Which steps every plan must have, what they require included."""
    topics: tuple[int, ...]
    """The number of each step's topic; -1 when no other step shares it."""
    is_revision: tuple[bool, ...]
    """Which steps run after all others."""
    row_names: tuple[str, ...]
    """The names of the limited resources."""
    capacities: tuple[int, ...]
    """What may be used of each."""
    max_steps: int
    penalty: int = 0
    """What a pair of chosen steps on one topic costs, in units."""
    unit_micro: int = MICRO
    """The unit of value, in millionths."""
    makespan_limit: MakespanLimit | None = None
    impossible: str = ""
    """Why no plan exists, when the rows need not even be looked at."""
    follows: tuple[tuple[int, ...], ...] = ()
    """For each step, the numbers of those that it comes after where both are chosen: what it
    requires, and what it reads. By default, what it requires."""

    def __post_init__(self) -> None:
        if not self.follows:
            object.__setattr__(self, "follows", self.requires)  # the only way into a frozen object

    @property
    def item_count(self) -> int:
        """The number of items."""
        return sum(map(len, self.items))

    @property
    def value_max(self) -> int:
        """What no plan is worth more than: the best item of each of the most valuable steps, as if
        everything fitted."""
        # A core's items are sorted by worth at prices, so the first need not be the most valuable.
        best = [max([item.value for item in group], default=0) for group in self.items]
        return sum(nlargest(self.max_steps, [max(0, value) for value in best]))

    def plan_value(self, chosen: Sequence[KnapsackItem]) -> int:
        """The value of a plan in units."""
        value = sum([item.value for item in chosen])
        if not self.penalty:
            return value
        entries = self.topic_counts(chosen).values()
        return value - self.penalty * sum([k * (k - 1) // 2 for k in entries])

    def topic_counts(self, chosen: Sequence[KnapsackItem]) -> Counter[int]:
        """How many of these items are on each shared topic."""
        entries = Counter([self.topics[item.step] for item in chosen])
        del entries[-1]  # the number of whatever topic is not shared
        return entries

    def sort_key(
        self, chosen: Sequence[KnapsackItem]
    ) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
        """Ascending: most value first, then the lower spend in the order of resources, then names.
        No two plans are equal."""
        spend = tuple(map(sum, zip(*(item.spend for item in chosen), strict=True)))
        return -self.plan_value(chosen), spend, tuple(sorted(item.name for item in chosen))

    def is_plan(self, chosen: Sequence[KnapsackItem]) -> bool:
        """Whether every condition holds."""
        steps = {item.step for item in chosen}
        return (
            len(steps) == len(chosen) <= self.max_steps
            and not self.impossible
            and all(steps.issuperset(self.requires[step]) for step in steps)
            and all(step in steps for step, needed in enumerate(self.is_required) if needed)
            and all(room >= 0 for room in self.rooms(chosen))
        )

    def rooms(self, chosen: Sequence[KnapsackItem]) -> list[int]:
        """What every row, and last the makespan's limit, has left beside the margin; negative when
        short."""
        rooms = [self.room_of(row, chosen) for row in range(len(self.row_names))]
        return [*rooms, self.time_left(chosen)] if self.makespan_limit else rooms

    def room_of(self, row: int, chosen: Sequence[KnapsackItem]) -> int:
        """What one row has left."""
        used = sum(item.amounts[row] for item in chosen)
        return self.capacities[row] - used - self._margin(row, chosen)

    def time_left(self, chosen: Sequence[KnapsackItem]) -> int:
        """What the limit on the makespan leaves."""
        assert self.makespan_limit
        row = self.makespan_limit.row
        return self.makespan_limit.limit - self.makespan(chosen) - self._margin(row, chosen)

    def makespan(self, chosen: Sequence[KnapsackItem]) -> int:
        """The makespan of the estimates, as the plan would be run."""
        assert self.makespan_limit
        limit, ordered = self.makespan_limit, self.order_items(chosen)
        steps = [item.step for item in ordered]
        waits = list_waits(
            steps, [self.follows[s] for s in steps], [self.is_revision[s] for s in steps]
        )
        durations = [item.amounts[limit.row] for item in ordered]
        return makespan(durations, waits, limit.concurrency, waves=limit.waves)

    def order_items(self, chosen: Sequence[KnapsackItem]) -> list[KnapsackItem]:
        """The items as they would be run."""
        return order_items(chosen, self.follows, self.is_revision, self.unit_micro)

    def _margin(self, row: int, chosen: Sequence[KnapsackItem]) -> int:
        return risk.margin_amount(sum(item.variances[row] for item in chosen if item.variances))
