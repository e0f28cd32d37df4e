"""How small and how large the margins of a plan can be that is better than the best one known.

A plan that is not worth less than the best loses at most the gap against the bound. For so much,
only so many choices can be other than the bound's: what they change of the variances at most is a
fractional knapsack, and so the variances of all plans that matter lie near the bound's own. Between
a near least and a near largest margin, a chord is hardly below the root. The method is known as
optimality-based bound tightening: A. M. Gleixner, T. Berthold, B. Müller, S. Weltge, "Three
enhancements for optimization-based bound tightening", Journal of Global Optimization 67 (2017).
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

from thrifty.planning.risk import CONE_SCALE
from thrifty.planning.solver.concave_hull import HullPoint, Increment, concave_hull, hull_increments
from thrifty.planning.solver.margin_bound import MarginRange, intersect_ranges
from thrifty.planning.solver.packed_rows import Variances
from thrifty.planning.solver.relaxation import Relaxation, RelaxedSolution

ROUNDING = 1e-9
"""The share of a variance by which sums of floats may be wrong, and far more."""


class Choice(NamedTuple):
    """What can be done about a step: an item, or none."""

    loss: float
    """Against the best choice for the step."""
    variances: Variances


def leeway(relaxation: Relaxation, at: RelaxedSolution, slack: float) -> list[MarginRange]:
    """The margins of the rows that have a price; those of the others stay what they were.

    Args:
        relaxation: the problem.
        at: its bound.
        slack: how much a plan may lose against the bound and still matter.
    """
    edge = relaxation.entry_value(at.net_step_values)
    steps = [_choices(relaxation, at, place, edge) for place in range(len(relaxation.core))]
    pairs = zip(at.prices.rows, relaxation.margin_ranges, strict=True)
    return [
        intersect_ranges(known, _margins(row, steps, slack)) if price and known[1] else known
        for row, (price, known) in enumerate(pairs)
    ]


def _choices(relaxation: Relaxation, at: RelaxedSolution, place: int, edge: float) -> list[Choice]:
    """All that can be done about a step, the best first."""
    position = relaxation.core[place]
    least = edge + at.step_values[place] - at.net_step_values[place]
    worth = at.item_values[relaxation.slices[place]]
    choices = [(w, branch.item.variances) for w, branch in zip(worth, position.items, strict=True)]
    if not position.needed:
        choices.append((least, ()))
    choices.sort(reverse=True)
    best = choices[0][0]
    return [Choice(best - w, variances) for w, variances in choices]


def _margins(row: int, steps: Sequence[Sequence[Choice]], slack: float) -> MarginRange:
    """The least and the largest margin of a row."""
    variance = 0
    less: list[list[HullPoint]] = []
    more: list[list[HullPoint]] = []
    for choices in steps:
        amounts = [variances[row] if variances else 0 for _, variances in choices]
        best = amounts[0]
        variance += best
        changes = [
            (loss, amount - best)
            for (loss, _), amount in zip(choices, amounts, strict=True)
            if amount != best
        ]
        less.append([(loss, -change) for loss, change in changes if change < 0])
        more.append([(loss, change) for loss, change in changes if change > 0])
    error = ROUNDING * variance
    low = max(0.0, variance - _most(less, slack) - error)
    high = variance + _most(more, slack) * (1.0 + ROUNDING) + error
    return sqrt(low / CONE_SCALE), sqrt(high / CONE_SCALE)


def _most(changes: Iterable[Iterable[HullPoint]], slack: float) -> float:
    """What changes add together at most that lose no more than the slack."""
    total = 0.0
    rises: list[Increment] = []
    for points in changes:
        corners = concave_hull(points)
        total += corners[0][1]
        rises += hull_increments(corners)
    rises.sort()
    for loss, width in rises:
        total -= loss * min(width, slack)
        slack -= width
        if slack <= 0.0:
            break
    return total
