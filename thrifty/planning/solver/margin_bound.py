"""A linear lower bound of a plan's margin, so that the relaxation can price it like an amount.

A margin is the square root of the variances of a plan together. That is concave: between the
least and the largest variance that a plan can have, it lies above the chord.
"""

from collections.abc import Sequence
from heapq import nlargest
from math import inf, sqrt
from typing import NamedTuple

from thrifty.planning.risk import CONE_SCALE
from thrifty.planning.solver.knapsack_item import KnapsackItem

MarginRange = tuple[float, float]
"""The least and the largest margin of a row, in the unit of the resource."""


class MarginBound(NamedTuple):
    """A line below the margin: every margin is at least `base` plus `slope` times its variances."""

    base: float = 0.0
    """In the unit of the resource."""
    slope: float = 0.0
    """For a unit of variance."""

    def row_amounts(self, row: int, items: Sequence[KnapsackItem], unit: float) -> list[float]:
        """What each item takes of a row, its part of the slope included, in a unit of the row's."""
        slope = self.slope
        if not slope:
            return [item.amounts[row] * unit for item in items]
        return [
            (i.amounts[row] + (slope * i.variances[row] if i.variances else 0.0)) * unit
            for i in items
        ]


def intersect_ranges(one: MarginRange, other: MarginRange) -> MarginRange:
    """The range that lies within both; where rounding leaves none, a single point."""
    low = max(one[0], other[0])
    return low, max(low, min(one[1], other[1]))


def bound_margins(margins: MarginRange) -> MarginBound:
    """The chord of the square root over that range, which no margin in it lies below."""
    low, high = margins
    both = low + high
    return MarginBound(low * high / both, 1.0 / both / CONE_SCALE) if both else MarginBound()


def margin_range(
    row: int,
    capacity: int,
    max_steps: int,
    steps: Sequence[Sequence[KnapsackItem]],
    needed: Sequence[bool],
) -> MarginRange:
    """The range of the margins of all plans that choose at most one item of each step,
    and one of each that is needed."""
    columns = [[item.variances[row] if item.variances else 0 for item in items] for items in steps]
    largest = nlargest(max_steps, [max(column, default=0) for column in columns])
    if not any(largest) or not capacity:
        return 0.0, 0.0
    shares = [
        (variance / CONE_SCALE / item.amounts[row], item.amounts[row])
        for items, column in zip(steps, columns, strict=True)
        for item, variance in zip(items, column, strict=True)
        if variance
    ]
    must = [column for column, is_needed in zip(columns, needed, strict=True) if is_needed]
    low = sqrt(sum(map(min, must)) / CONE_SCALE)  # whatever else is chosen
    return low, min(sqrt(sum(largest) / CONE_SCALE), _largest_margin(shares, capacity))


def _largest_margin(shares: Sequence[tuple[float, int]], capacity: int) -> float:
    """The largest margin a plan can have, given that its amounts need room in the capacity too.

    What variance fits in a room grows with the room as in a fractional knapsack: the densest items
    come first. That is a concave curve, below each of its tangents. So where a tangent of slope d
    says that V fit in all of the capacity, a margin of m is at most V - d * m when squared.

    Args:
        shares: of each item, its variance divided by its amount, and its amount.
        capacity: of the row.
    """
    most, held, room = inf, 0.0, float(capacity)
    for d, amount in sorted(shares, reverse=True):
        if room <= 0.0:
            break
        most = min(most, (sqrt(d * d + 4.0 * (held + d * room)) - d) / 2.0)
        held += d * amount
        room -= amount
    return most
