"""The prices at which the bound is lowest, found by subgradient steps.

The length of a step follows B. T. Polyak, "Minimization of unsmooth functionals" (1969): as if
the bound could fall to the value of the best plan known. Steps become shorter when they stop
paying: M. Held, P. Wolfe, H. P. Crowder, "Validation of subgradient optimization" (1974). A step
leaves out what leads back along the last one: P. M. Camerini, L. Fratta, F. Maffioli, "On improving
relaxation methods by modified gradient techniques", Mathematical Programming Study 3 (1975).
"""

from collections.abc import Callable, Sequence
from math import inf
from operator import mul
from typing import Protocol

from thrifty.planning.model import Item
from thrifty.planning.relaxation import Prices, Relaxation, Relaxed

AMBITION = 0.07
"""How far below the best bound a step aims at most."""

PATIENCE = 2
"""After how many steps without a better bound the steps become half as long."""
MEET_EVERY = 10
"""After how many steps a plan is made of where the descent stands."""
STEEP_ENOUGH = 0.05
"""A slope that has less of its steepness left without the way back is followed as it is."""


class Dual(Protocol):
    """A relaxation, or a way to look at one."""

    def solve(self, prices: Prices) -> Relaxed:
        """The relaxed problem at these prices, or at better ones."""

    def slopes(self, at: Relaxed) -> Prices:
        """By how much each condition is kept (positive) or broken (negative)."""


class RowsOnly:
    """A relaxation whose requirements and topics keep their prices."""

    def __init__(self, relaxation: Relaxation) -> None:
        self.relaxation = relaxation
        self.solve = relaxation.solve

    def slopes(self, at: Relaxed) -> Prices:
        """Those of the rows."""
        return Prices(self.relaxation.rooms(at, at.taken), {}, {})


def first_prices(relaxation: Relaxation, plan: Sequence[Item]) -> Prices:
    """Prices that suit a plan.

    Half of what it brings a step is shared out among the rows: by the squares of what it uses of
    them, so that what it hardly touches has hardly a price. A topic costs what the plan's last
    entry to it loses to redundancy.
    """
    model, rows = relaxation.model, len(relaxation.columns)
    used = [sum(amounts) for amounts in zip(*[item.amounts for item in plan], strict=True)]
    squares = [(u / c) ** 2 if u else 0.0 for u, c in zip(used, model.capacities, strict=False)]
    if not any(squares):
        return Prices([0.0] * rows, {}, {})
    price = 0.5 * max(0, model.worth(plan)) / max(relaxation.capacities)
    unit = price * rows / (rows + 1) / sum(squares)
    entries = model.entries(plan).items() if model.penalty else ()
    topics = {topic: model.penalty * (count - 1.0) for topic, count in entries}
    return Prices([unit * square for square in squares], {}, topics)


def descend(
    dual: Dual,
    start: Prices,
    floor: Callable[[], float],
    rounds: int,
    meet: Callable[[Relaxed], None],
    pace: float = 1.0,
    stride: float = inf,
) -> Relaxed:
    """The lowest bound that a number of steps finds.

    Args:
        dual: what is to be bounded.
        start: the first prices to try.
        floor: the value of the best plan known by now.
        rounds: how many prices to try.
        meet: shown now and then where the descent stands, to make a plan of it.
        pace: the first steps, as a share of Polyak's.
        stride: how much of the highest price of a row a step changes any of them at most.
    """
    best = at = dual.solve(start)
    stalled = 0
    before: Sequence[float] = ()
    for done in range(rounds):
        if done and not done % MEET_EVERY:
            meet(at)
        slopes = turned(dual.slopes(at), before)
        steepness = at.prices.steepness(slopes)
        if steepness < 1e-12 or best.bound <= floor():
            break
        aim = max(floor(), best.bound - AMBITION * abs(best.bound))
        length = pace * (at.bound - aim) / steepness
        if stride < inf:
            length = min(length, pace * stride * _highest(at.prices) / _steepest(slopes))
        at, before = dual.solve(at.prices.moved(slopes, length)), slopes.rows
        if at.bound < best.bound:
            best, stalled = at, 0
        else:
            stalled += 1
            if stalled == PATIENCE:
                pace, stalled, at, before = pace / 2, 0, best, ()
    meet(best)
    return best


def turned(slopes: Prices, before: Sequence[float]) -> Prices:
    """The slopes without the part that leads back along the last step.

    Steps across a valley would else go to and fro between its sides. Only those of the rows are
    turned: the others are many, and each is a valley of its own.
    """
    back = -sum(map(mul, slopes.rows, before))
    if back <= 0.0:
        return slopes
    share = back / sum(map(mul, before, before))
    rows = [slope + share * last for slope, last in zip(slopes.rows, before, strict=True)]
    if sum(map(mul, rows, rows)) < STEEP_ENOUGH * sum(map(mul, slopes.rows, slopes.rows)):
        return slopes
    return Prices(rows, slopes.arcs, slopes.topics)


def _highest(prices: Prices) -> float:
    return max(prices.rows) or inf


def _steepest(slopes: Prices) -> float:
    return max(map(abs, slopes.rows)) or 1.0
