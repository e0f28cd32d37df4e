"""The problem as the engines see it: a knapsack in whole numbers, without options that cannot fit.

Values are whole multiples of one unit (the greatest common divisor of all values), so that a
bound can be rounded down and no engine ever compares two roundings of one sum.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import repeat
from typing import Any, NamedTuple, TypeVar, cast

from thrifty.planning import risk
from thrifty.planning.solver.makespan import makespan
from thrifty.planning.solver.running_order import order_items

TupleType = TypeVar("TupleType", bound=tuple[Any, ...])

MICRO = 1_000_000
"""Values are kept as whole millionths."""


class KnapsackItem(NamedTuple):
    """One option of a step, in whole numbers."""

    step: int
    """The number of its step."""
    value: int
    """In units of the model, the redundancy with finished steps taken off."""
    amounts: tuple[int, ...]
    """What it takes of each row's capacity."""
    variances: tuple[int, ...]
    """The squares of its margins, a row each; empty when the plan takes no margin."""
    spend: tuple[int, ...]
    """The bare estimate of all resources: the lower one wins a tie."""
    name: str


class MakespanLimit(NamedTuple):
    """A limit on the makespan."""

    limit: int
    row: int
    """The row that holds durations; its capacity is the limit times the concurrency."""
    concurrency: int
    waves: bool


def make_tuples(kind: type[TupleType], *columns: Iterable[object]) -> Iterator[TupleType]:
    """Makes named tuples from columns of fields, three times as fast as one by one."""
    made = map(tuple.__new__, repeat(kind), zip(*columns, strict=False))
    return cast("Iterator[TupleType]", made)


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
        del entries[-1]
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
        ordered = self.order_items(chosen)
        place = {item.step: i for i, item in enumerate(ordered)}
        waits = []
        for i, item in enumerate(ordered):
            waits.append({place[step] for step in self.requires[item.step] if step in place})
            if self.is_revision[item.step]:
                waits[i].update(j for j in range(i) if not self.is_revision[ordered[j].step])
        times = [item.amounts[self.makespan_limit.row] for item in ordered]
        return makespan(
            times, waits, self.makespan_limit.concurrency, waves=self.makespan_limit.waves
        )

    def order_items(self, chosen: Sequence[KnapsackItem]) -> list[KnapsackItem]:
        """The items as they would be run."""
        return order_items(chosen, self.requires, self.is_revision, self.unit_micro)

    def _margin(self, row: int, chosen: Sequence[KnapsackItem]) -> int:
        return risk.margin_amount(sum(item.variances[row] for item in chosen if item.variances))
