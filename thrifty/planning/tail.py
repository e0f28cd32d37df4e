"""What the last places of a walk can still add, as far as each row by itself goes.

The prices of a bound are those of the average room. Near the end of a search they mislead: one row
is all but full, so that hardly anything that is still to come fits, and yet the bound sells what
the other rows have left. So there each row is looked at alone, as a fractional knapsack with
choices: of every position the concave hull of value over amount, its increments taken steepest
first. Source: P. Sinha, A. A. Zoltners, "The multiple-choice knapsack problem", Operations Research
27 (1979). Requirements and topics keep their prices, without which the bound would hardly ever
tell.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

from thrifty.planning.core import Position
from thrifty.planning.hull import Increment, Point, hull, increments
from thrifty.planning.risk import CONE
from thrifty.planning.rows import Rows, Variances


class Curve(NamedTuple):
    """The most that some positions add to a room of one row: concave, and straight by pieces."""

    shift: int
    mask: int
    """Where rooms that are packed have that of the row."""
    free: float
    """What they add to no room at all."""
    increments: list[Increment]
    turns: list[float]
    """The rooms at which the pieces begin; the last goes on forever."""
    pieces: list[tuple[float, float]]
    """The lines that they lie on: the value at no room, and for a unit of room."""

    def joined(self, points: Iterable[Point]) -> Curve:
        """The curve with one position more.

        Args:
            points: its options.
        """
        corners = hull(points)
        if len(corners) == 1 and not corners[0][1]:
            return self
        rises = self.increments.copy()
        for increment in increments(corners):
            insort(rises, increment)
        return curve(self.shift, self.mask, self.free + corners[0][1], rises)


def curve(shift: int, mask: int, free: float, increments: list[Increment]) -> Curve:
    """The curve that rises by these increments."""
    turn: float = 0
    height, turns, pieces = free, [turn], []
    for loss, width in increments:
        pieces.append((height + loss * turn, -loss))
        height -= loss * width
        turn += width
        turns.append(turn)
    pieces.append((height, 0.0))
    return Curve(shift, mask, free, increments, turns, pieces)


class Tail(dict[int, Sequence[Curve]]):
    """For each of the last places, what it and those after it add: a curve a row, made when asked
    for."""

    def __init__(self, rows: Rows, positions: Sequence[Position], length: int) -> None:
        """The tail of a walk through these positions, so many of them and the end."""
        count = len(positions)
        self.positions = positions
        self.start = max(0, count - length) if length else count + 1
        """The first of the last places; beyond the end when there are none."""
        fields = zip(rows.shifts, rows.masks, strict=True)
        self[count] = [curve(shift, mask, 0.0, []) for shift, mask in fields]

    def __missing__(self, place: int) -> Sequence[Curve]:
        _, branches, _, paid = self.positions[place]
        values = [branch.value + paid for branch in branches]
        loads = [branch.load for branch in branches]
        curves = [
            after.joined(
                zip([load >> after.shift & after.mask for load in loads], values, strict=True)
            )
            for after in self[place + 1]
        ]
        self[place] = curves
        return curves

    def adds(self, least: float, place: int, rooms: int, variances: Variances) -> bool:
        """Whether a place and those after it may add so much to a plan.

        Args:
            least: how much.
            place: one of the last.
            rooms: what the plan leaves, packed.
            variances: its own; what is added takes no less margin.
        """
        pairs = zip(self[place], variances, strict=True)
        for (shift, mask, _, _, turns, pieces), variance in pairs:
            room: float = rooms >> shift & mask
            if variance:
                room -= sqrt(variance / CONE)
            height, slope = pieces[bisect_right(turns, room) - 1]
            if height + slope * room < least:
                return False
        return True
