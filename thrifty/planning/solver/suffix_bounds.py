"""Upper bounds on what the last places of a walk can add, a bound for each row by itself.

The prices of a bound are those of the average room. Near the end of a search they mislead: one row
is all but full, so that hardly anything that is still to come fits, and yet the bound sells what
the other rows have left. So there each row is looked at alone, as a fractional knapsack with
choices: of every step the concave hull of value over amount, its increments taken steepest
first. Source: P. Sinha, A. A. Zoltners, "The multiple-choice knapsack problem", Operations Research
27 (1979). Requirements and topics keep their prices, without which the bound would hardly ever
tell.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

from thrifty.planning.risk import CONE_SCALE
from thrifty.planning.solver.concave_hull import HullPoint, Increment, concave_hull, hull_increments
from thrifty.planning.solver.core import CoreStep
from thrifty.planning.solver.packed_rows import PackedRows, Variances


class ConcaveBound(NamedTuple):
    """The most value that some steps add to a room of one row: concave and piecewise linear."""

    shift: int
    mask: int
    """Where rooms that are packed have that of the row."""
    value_at_zero: float
    """What they add to no room at all."""
    increments: list[Increment]
    breakpoints: list[float]
    """The rooms at which the lines begin; the last line has no end."""
    lines: list[tuple[float, float]]
    """The lines that they lie on: the value at no room, and for a unit of room."""

    def with_step(self, points: Iterable[HullPoint]) -> ConcaveBound:
        """The bound with one step more, whose options are these points."""
        corners = concave_hull(points)
        if len(corners) == 1 and not corners[0][1]:
            return self
        rises = self.increments.copy()  # the bound of the next place keeps its own
        for increment in hull_increments(corners):
            insort(rises, increment)
        return build_bound(self.shift, self.mask, self.value_at_zero + corners[0][1], rises)


def build_bound(shift: int, mask: int, free: float, increments: list[Increment]) -> ConcaveBound:
    """Builds the bound that rises by these increments."""
    turn: float = 0
    height, turns, pieces = free, [turn], []
    for loss, width in increments:
        pieces.append((height + loss * turn, -loss))
        height -= loss * width
        turn += width
        turns.append(turn)
    pieces.append((height, 0.0))
    return ConcaveBound(shift, mask, free, increments, turns, pieces)


class SuffixBounds(dict[int, Sequence[ConcaveBound]]):
    """For each of the last places, the most that it and those after it add: a bound for each row,
    computed when it is asked for."""

    def __init__(self, rows: PackedRows, positions: Sequence[CoreStep], length: int) -> None:
        """Bounds for the last `length` steps of a walk through these, and for its end."""
        count = len(positions)
        self.positions = positions
        self.start = max(0, count - length) if length else count + 1
        """The first of the last places; beyond the end when there are none."""
        fields = zip(rows.shifts, rows.masks, strict=True)
        self[count] = [build_bound(shift, mask, 0.0, []) for shift, mask in fields]

    def __missing__(self, place: int) -> Sequence[ConcaveBound]:
        _, branches, _, paid = self.positions[place]
        values = [branch.value + paid for branch in branches]
        loads = [branch.packed_amounts for branch in branches]
        self[place] = curves = [
            after.with_step(
                zip([load >> after.shift & after.mask for load in loads], values, strict=True)
            )
            for after in self[place + 1]
        ]
        return curves

    def can_add(self, least: float, place: int, rooms: int, variances: Variances) -> bool:
        """Whether a place and those after it may add so much to a plan that leaves this room and
        has these variances."""
        pairs = zip(self[place], variances, strict=True)
        for (shift, mask, _, _, turns, pieces), variance in pairs:
            room: float = rooms >> shift & mask
            if variance:
                # What is added takes no less margin than the plan does by itself.
                room -= sqrt(variance / CONE_SCALE)
            height, slope = pieces[bisect_right(turns, room) - 1]
            if height + slope * room < least:
                return False
        return True
