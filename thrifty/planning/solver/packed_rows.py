"""The rows of a model packed into one integer, as the exact engine uses them.

For bounds, every row is measured in a unit of its own. For plans, all rows are packed into one
whole number, so that one subtraction tests them all: a row has a field of bits with a guard bit
above it, amounts are taken from rooms whose guards are set, and a guard that is gone tells of a
row that is short. The technique is L. Lamport's, "Multiple byte processing with full-word
instructions", Communications of the ACM 18 (1975).
"""

from collections.abc import Sequence
from itertools import accumulate, repeat
from operator import add, le, lshift, sub

from thrifty.planning import risk
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem

UNITS_PER_CAPACITY_MAX = 100.0
"""The most units that a capacity is divided into."""

Variances = tuple[int, ...]
"""The sum of the squares of a plan's margins, a row each."""


class PackedRows:
    """Where each row of a model lies in a packed integer."""

    def __init__(self, model: KnapsackModel) -> None:
        self.capacities = model.capacities
        self.units = _row_units(model)
        """For each row, the unit in which the average step of a plan uses about one, or less."""
        self.has_margins = any(item.variances for group in model.items for item in group)
        """Whether a plan needs margins."""
        columns = zip(*[item.amounts for group in model.items for item in group], strict=True)
        # Wide enough for any one amount, so that a row that is short borrows its own guard alone.
        most = [max(*column, c) for column, c in zip(columns, model.capacities, strict=True)]
        widths = [amount.bit_length() for amount in most]
        self.shifts = list(accumulate([width + 1 for width in widths], initial=0))[:-1]
        self.masks = [(1 << width) - 1 for width in widths]
        self.guard_bits = self.pack([1 << width for width in widths])
        """When one of these bits is missing in packed rooms, a row is short."""
        self.capacity_rooms = self.guard_bits + self.pack(model.capacities)
        """What a plan may use."""
        self.no_variances: Variances = (0,) * len(widths)
        """The variances of the plan without items."""

    def pack(self, amounts: Sequence[int]) -> int:
        """An amount for each row as one number."""
        return sum(map(lshift, amounts, self.shifts))

    def pack_items(self, items: Sequence[KnapsackItem]) -> list[int]:
        """The amounts of many items, packed."""
        loads = [0] * len(items)
        columns = zip(*[item.amounts for item in items], strict=True)
        for column, shift in zip(columns, self.shifts, strict=True):
            loads = list(map(add, loads, map(lshift, column, repeat(shift))) if shift else column)
        return loads

    def has_room_for(self, rooms: int, variances: Variances) -> bool:
        """Whether rooms in which no row is short have room for the margins too."""
        for variance, shift, mask in zip(variances, self.shifts, self.masks, strict=True):
            if variance and not risk.fits_margin(rooms >> shift & mask, variance):
                return False
        return True


def add_variances(variances: Variances, item: KnapsackItem) -> Variances:
    """Adds an item's variances to those of a plan; an item without margins adds none."""
    return tuple(map(add, variances, item.variances)) if item.variances else variances


def is_no_wider(variances: Variances, than: Variances) -> bool:
    """Whether no row needs more margin for these variances than for the others."""
    return not variances or (bool(than) and all(map(le, variances, than)))


def subtract_variances(variances: Variances, item: KnapsackItem) -> Variances:
    """Takes an item's variances off those of a plan."""
    return tuple(map(sub, variances, item.variances)) if item.variances else variances


def _row_units(model: KnapsackModel) -> list[float]:
    steps = len(model.items)
    most_valuable = [max(group, key=lambda item: item.value) for group in model.items if group]
    places = float(min(model.max_steps, steps))
    for row, capacity in enumerate(model.capacities):
        if used := sum([best.amounts[row] for best in most_valuable]):
            places = min(places, capacity * steps / used)
    # Beyond this, the slopes of the rows would drown those of requirements and topics.
    places = min(max(1.0, places), UNITS_PER_CAPACITY_MAX)
    return [places / capacity if capacity else 0.0 for capacity in model.capacities]
