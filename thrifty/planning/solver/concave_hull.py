"""The concave hull of a step's options, value over amount, as a fractional knapsack uses it.

Of a step's options each amount takes the best; between two amounts the line counts as well.
Sources: P. Sinha, A. A. Zoltners, "The multiple-choice knapsack problem", Operations Research 27
(1979); the corners by A. M. Andrew, "Another efficient algorithm for convex hulls in two
dimensions", Information Processing Letters 9 (1979).
"""

from collections.abc import Iterable
from itertools import pairwise

HullPoint = tuple[float, float]
"""The amount and the value of an option."""
Increment = tuple[float, float]
"""How much value a unit of the amount brings, with a minus, so that the steepest comes first; and
for how many units."""


def concave_hull(points: Iterable[HullPoint]) -> list[HullPoint]:
    """The corners of the least concave, rising function above some points, from amount zero on."""
    corners: list[HullPoint] = [(0, 0.0)]
    for amount, value in sorted(points):
        last, most = corners[-1]
        if value > most:
            while last:
                before, less = corners[-2]
                # Products instead of slopes: two options of one amount have no slope between them.
                if (most - less) * (amount - before) > (value - less) * (last - before):
                    break
                corners.pop()
                last, most = before, less
            if not amount:  # what is free takes the place of nothing at all
                corners.pop()
            corners.append((amount, value))
    return corners


def hull_increments(corners: Iterable[HullPoint]) -> list[Increment]:
    """The lines between the corners of a hull, steepest first."""
    return [
        ((less - value) / (amount - before), amount - before)
        for (before, less), (amount, value) in pairwise(corners)
    ]
