"""The prices at which the bound is lowest, found by subgradient steps.

The length of a step follows B. T. Polyak, "Minimization of unsmooth functionals" (1969): as if
the bound could fall to the value of the best plan known. Steps become shorter when they stop
paying: M. Held, P. Wolfe, H. P. Crowder, "Validation of subgradient optimization" (1974).
"""

from collections.abc import Callable

from thrifty.planning.relaxation import Prices, Relaxation, Relaxed

AMBITION = 0.07
"""How far below the best bound a step aims at most."""

PATIENCE = 2
"""After how many steps without a better bound the steps become half as long."""
MEET_EVERY = 8
"""After how many steps a plan is made of where the descent stands."""


def first_prices(relaxation: Relaxation, value: float) -> Prices:
    """Half of what a plan of that value brings a step, shared out among the rows."""
    rows = len(relaxation.columns)
    places = max(relaxation.capacities, default=1.0) or 1.0
    price = 0.5 * max(0.0, value) / (places * (rows + 1))
    return Prices([price] * rows, {}, {})


def descend(
    relaxation: Relaxation,
    start: Prices,
    floor: Callable[[], float],
    rounds: int,
    meet: Callable[[Relaxed], None],
) -> Relaxed:
    """The lowest bound that a number of steps finds.

    Args:
        relaxation: what is to be bounded.
        start: the first prices to try.
        floor: the value of the best plan known by now.
        rounds: how many prices to try.
        meet: shown now and then where the descent stands, to make a plan of it.
    """
    best = at = relaxation.solve(start)
    pace, stalled = 1.0, 0
    for done in range(rounds):
        if done and not done % MEET_EVERY:
            meet(at)
        slopes = relaxation.slopes(at)
        norm = slopes.norm()
        if norm < 1e-12 or best.bound <= floor():
            break
        aim = max(floor(), best.bound - AMBITION * abs(best.bound))
        at = relaxation.solve(at.prices.moved(slopes, pace * (at.bound - aim) / norm))
        if at.bound < best.bound:
            best, stalled = at, 0
        else:
            stalled += 1
            if stalled == PATIENCE:
                pace, stalled, at = pace / 2, 0, best
    meet(best)
    return best
