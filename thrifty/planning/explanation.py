"""Why this plan: which limits bind, what more of them would be worth, and what it would take to
bring in an option that was left out.

The shadow price of a limit is its multiplier in the Lagrangian dual of the problem: no budget
increase can bring more value per unit, at the margin of the relaxed problem. Source:
R. T. Rockafellar, "Convex Analysis", section 28 (1970); M. L. Fisher, Management Science 27
(1981). What a certain increase really brings is planned anew, exactly.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from thrifty.budget.plain_data import PlainData
from thrifty.budget.plan import Plan
from thrifty.budget.resources import RESOURCES, format_amounts
from thrifty.planning.best_case import find_best_case
from thrifty.planning.frontier import frontier_point
from thrifty.planning.problem import Problem
from thrifty.planning.risk import MILLI, margin_for_risk
from thrifty.planning.role_rows import NOBODY, Names, RoleRows
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.core import whole_core
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.knapsack import MICRO, KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.packed_rows import PackedRows
from thrifty.planning.solver.relaxation import Relaxation
from thrifty.planning.solver.solve_result import SolveLimits
from thrifty.planning.solver.subgradient import initial_prices, minimise_bound

DESCENT_ROUNDS = 120
SHOWN_LIMIT_DIVISOR = 20
"""A shadow price is shown for a twentieth of the limit, as a round number."""
INCREASE_NODES_MAX = 200_000
RAISES_MAX = 1_000
NO_PLAN_VALUE = -inf
"""The value of a plan where there is none: plans may be worth less than nothing."""
BINDING_SHARE_MIN = 0.01
"""A limit whose price makes up less of the value than this does not count as binding."""


@dataclass(frozen=True, slots=True)
class ShadowPrice(PlainData[dict[str, Any]]):
    """What more of a limit would be worth."""

    resource: str
    limit: int
    """What the plan may use."""
    used: int
    """What the plan is expected to use, the margin for risk included."""
    is_binding: bool
    """Whether this limit keeps the plan from being better."""
    value_per_unit: float
    """The price: the value that one unit more would bring at the margin."""
    increase: int
    """A round amount of the resource."""
    gain: float
    """What that much more really brings, planned anew."""

    def __str__(self) -> str:
        more = format_amounts({self.resource: self.increase})
        return f"{more} more would be worth +{self.gain:.2g}"


@dataclass(frozen=True, slots=True)
class RequiredIncrease(PlainData[dict[str, Any]]):
    """The increase of a limit with which an option that was left out comes into the best plan."""

    option: str
    step: str
    reason: str
    """What kept it out."""
    increase: Mapping[str, int] = field(hash=False)
    """For each resource that can do it alone, the least increase of its limit with which a
    best plan has the option. Empty when no more budget of one resource brings it in, or it
    could not be proven which does."""


def shadow_prices(problem: Problem, plan: Plan) -> tuple[ShadowPrice, ...]:
    """One for each limited resource, in the order of resources."""
    rows, names = RoleRows.of(problem), {option.name for option in plan.chosen}
    # The rows of roles have no price: the case that the plan is of keeps them by itself.
    model = build_knapsack(rows.narrow(problem, rows.case_of({o.step for o in plan.chosen})))
    chosen = [item for group in model.items for item in group if item.name in names]
    prices = _row_prices(model, chosen)
    limits = {resource.name: limit for resource, limit in problem.available.limited_resources()}
    result = []
    for row, (name, limit) in enumerate(limits.items()):
        is_makespan = model.makespan_limit is not None and model.makespan_limit.row == row
        room = model.time_left(chosen) if is_makespan else model.room_of(row, chosen)
        step = round_amount(limit // SHOWN_LIMIT_DIVISOR)
        # The price holds at the margin only, so what a round amount really brings is planned.
        richer = frontier_point(problem, problem.left.raised_by({name: step}))
        # The row has the time of all places: a millisecond more is one more for each of them.
        places = problem.concurrency if is_makespan else 1
        price = prices[row] * places * model.unit_micro / MICRO
        worth = max(0.0, richer.value - plan.value)
        binds = worth > 0.0 or price * limit > BINDING_SHARE_MIN * abs(plan.value)
        result.append(ShadowPrice(name, limit, limit - room, binds, price, step, worth))
    return tuple(result)


def required_increases(
    problem: Problem, plan: Plan, options: Collection[str] | None = None
) -> tuple[RequiredIncrease, ...]:
    """The increase that each left-out option needs; exact, so many options take seconds.

    Args:
        problem: what was planned.
        plan: its best plan.
        options: the names of those that are of interest; all when None.
    """
    names = [resource.name for resource, _ in problem.left.limited_resources()]
    result = []
    for left in plan.left_out:
        if options is None or left.option in options:
            increases = {name: least_increase(problem, left.option, name) for name in names}
            # Zero is no increase: then the option is as good as what is in the plan.
            needed = {name: increase for name, increase in increases.items() if increase}
            result.append(RequiredIncrease(left.option, left.step, left.reason, needed))
    return tuple(result)


def least_increase(problem: Problem, option: str, resource: str) -> int | None:
    """By how much one limit must rise until a best plan has an option; None when it never does.

    Both the best value and the best value with the option rise with the limit, so from below
    the two catch up at the least increase: raise the limit until the option's plan is as good
    as the best plan was before, and again until nothing better is left.
    """
    forced = _only_option(problem, option)
    if forced is None:
        return None
    only, step = forced
    increase, most = 0, unbinding_increase(problem, resource)
    for _ in range(RAISES_MAX):
        target = _best_value_micro(problem, resource, increase)
        if target is None:
            return None
        enough = _least_increase_from(only, step, resource, target, increase, most)
        if enough is None or enough == increase:
            return enough
        increase = enough
    return None


def _least_increase_from(
    problem: Problem, step: str, resource: str, target: float, low: int, high: int
) -> int | None:
    """The least increase, from `low` on, that makes a plan with the step worth the target."""

    def reaches(increase: int) -> bool:
        value = _best_value_micro(problem, resource, increase, frozenset((step,)))
        return value is not None and value >= target and value > NO_PLAN_VALUE

    increase = bisect_left(range(high + 1), True, low, key=reaches)
    return increase if increase <= high else None


def _best_value_micro(
    problem: Problem, resource: str, increase: int, forced: Names = NOBODY
) -> float | None:
    """The best value with that much more, a whole number; None when unproven."""
    more = replace(problem, left=problem.left.raised_by({resource: increase}))
    best = find_best_case((more,), solve_exactly, SolveLimits(INCREASE_NODES_MAX), forced)
    if not best.is_proven:
        return None
    return best.found.value_micro if best.is_plan else NO_PLAN_VALUE


def _only_option(problem: Problem, name: str) -> tuple[Problem, str] | None:
    """The problem in which a step has one option, and the step; None when it is done."""
    done = {step.name for step in problem.done}
    for step in problem.steps:
        for option in step.options:
            if option.name == name and step.name not in done:
                only = step.with_options((option,))
                steps = tuple(only if other is step else other for other in problem.steps)
                return replace(problem, steps=steps), step.name
    return None


def unbinding_increase(problem: Problem, resource: str) -> int:
    """An increase so large that the limit keeps no option out any more."""
    place = next(i for i, r in enumerate(RESOURCES) if r.name == resource)
    margin = margin_for_risk(problem.risk, problem.residuals)
    tail, shift = max(1.0, margin.z_milli / MILLI), 1.0 + abs(margin.shift_milli) / MILLI
    most = sum(
        max(o.estimate.amounts[place] * (1.0 + o.spread * tail * shift) for o in step.options)
        for step in problem.steps
    )
    # Twice what all of it can take: an increase that is too large does no harm.
    return 2 * int(most) + 1 + problem.spent.amounts[place] + problem.kept_back.amounts[place]


def _row_prices(model: KnapsackModel, plan: Sequence[KnapsackItem]) -> list[float]:
    """The multiplier of each row, in units of value for a unit of the resource."""
    if not model.items:
        return [0.0] * len(model.row_names)
    all_rows = PackedRows(model)
    relaxation = Relaxation(model, whole_core(model, all_rows), all_rows)
    start, value = initial_prices(relaxation, plan), model.plan_value(plan)
    solve, slopes_of = relaxation.solve, relaxation.slopes
    solution = minimise_bound(
        solve, slopes_of, start, lambda: value, DESCENT_ROUNDS, lambda solution: None
    )
    rows = list(solution.prices.rows)
    for row in range(len(rows)):
        # A descent ends near the lowest bound, not at it: a price that does no good is none.
        free = [*rows[:row], 0.0, *rows[row + 1 :]]
        without = relaxation.solve(replace(solution.prices, rows=free)).bound
        if without <= solution.bound * (1.0 + BINDING_SHARE_MIN / 10):
            rows = free
    return [price * unit for price, unit in zip(rows, all_rows.units, strict=True)]


def round_amount(amount: int) -> int:
    """The largest of 1, 2, 5, 10, 20, 50 ... that is not above an amount, and at least one."""
    power = 1
    while power * 10 <= amount:
        power *= 10
    return max(factor * power for factor in (1, 2, 5) if factor * power <= max(amount, 1))
