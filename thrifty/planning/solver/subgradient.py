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

from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.relaxation import DualPrices, Relaxation, RelaxedSolution

TARGET_DROP_SHARE = 0.07
"""How far below the best bound a step aims at most, as a share of that bound."""

STALLED_STEPS_MAX = 2
"""After how many steps without a better bound the steps become half as long."""
STEPS_PER_PLAN = 10
"""After how many steps a plan is made of where the descent stands."""
DEFLECTED_SHARE_MIN = 0.05
"""Slopes that would keep less than this share of their squared length are not deflected."""


def initial_prices(relaxation: Relaxation, plan: Sequence[KnapsackItem]) -> DualPrices:
    """Prices that suit a plan.

    Half of what it brings a step is shared out among the rows: by the squares of what it uses of
    them, so that what it hardly touches has hardly a price. A topic costs what the plan's last
    entry to it loses to redundancy.
    """
    model, rows = relaxation.model, len(relaxation.columns)
    used = [sum(amounts) for amounts in zip(*[item.amounts for item in plan], strict=True)]
    squares = [(u / c) ** 2 if u else 0.0 for u, c in zip(used, model.capacities, strict=False)]
    if not any(squares):  # no plan, or one that uses nothing
        return DualPrices([0.0] * rows, {}, {})
    price = 0.5 * max(0, model.plan_value(plan)) / max(relaxation.capacities)
    unit = price * rows / (rows + 1) / sum(squares)
    entries = model.topic_counts(plan).items() if model.penalty else ()
    topics = {topic: model.penalty * (count - 1.0) for topic, count in entries}
    return DualPrices([unit * square for square in squares], {}, topics)


def minimise_bound(
    solve: Callable[[DualPrices], RelaxedSolution],
    slopes_of: Callable[[RelaxedSolution], DualPrices],
    start: DualPrices,
    best_value: Callable[[], float],
    rounds: int,
    make_plan: Callable[[RelaxedSolution], None],
    step_share: float = 1.0,
    row_change_max: float = inf,
) -> RelaxedSolution:
    """The lowest bound that a number of steps finds.

    Args:
        solve: solves the relaxed problem at some prices, or at better ones.
        slopes_of: by how much each priced condition is kept (positive) or broken (negative).
        start: the first prices to try.
        best_value: the value of the best plan known by now.
        rounds: how many prices to try.
        make_plan: called now and then with the current point, to make a plan of it.
        step_share: the length of the first steps, as a share of Polyak's.
        row_change_max: how much of the highest price of a row a step changes any of them at most.
    """
    best = solution = solve(start)
    stalled = 0
    last_slopes: Sequence[float] = ()
    for round_count in range(rounds):
        if round_count and not round_count % STEPS_PER_PLAN:
            make_plan(solution)
        slopes = deflect(slopes_of(solution), last_slopes)
        steepness = solution.prices.squared_length(slopes)
        if steepness < 1e-12 or best.bound <= best_value():  # at the bottom, or proven
            break
        aim = max(best_value(), best.bound - TARGET_DROP_SHARE * abs(best.bound))
        length = step_share * (solution.bound - aim) / steepness
        if row_change_max < inf:
            highest, steepest = max(solution.prices.rows) or inf, max(map(abs, slopes.rows)) or 1.0
            length = min(length, step_share * row_change_max * highest / steepest)
        solution, last_slopes = solve(solution.prices.move_along(slopes, length)), slopes.rows
        if solution.bound < best.bound:
            best, stalled = solution, 0
        elif (stalled := stalled + 1) == STALLED_STEPS_MAX:
            step_share, stalled, solution, last_slopes = step_share / 2, 0, best, ()
    make_plan(best)
    return best


def deflect(slopes: DualPrices, last_slopes: Sequence[float]) -> DualPrices:
    """Removes from the slopes the part that leads back along the last step.

    Steps across a valley would else go to and fro between its sides. Only those of the rows are
    turned: the others are many, and each is a valley of its own.
    """
    back = -sum(map(mul, slopes.rows, last_slopes))
    if back <= 0.0:
        return slopes
    share = back / sum(map(mul, last_slopes, last_slopes))
    rows = [slope + share * last for slope, last in zip(slopes.rows, last_slopes, strict=True)]
    if sum(map(mul, rows, rows)) < DEFLECTED_SHARE_MIN * sum(map(mul, slopes.rows, slopes.rows)):
        return slopes
    return DualPrices(rows, slopes.arcs, slopes.topics)
