"""Why this plan: which limits bind, what more of them would be worth, and what it would take to
bring in an option that was left out.

The shadow price of a limit is its multiplier in the Lagrangian dual of the problem: no budget
increase can bring more value per unit, at the margin of the relaxed problem. Source:
R. T. Rockafellar, "Convex Analysis", section 28 (1970); M. L. Fisher, Management Science 27
(1981). What a certain increase really brings is planned anew, exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from typing_extensions import TypedDict

from thrifty.budget.plain_data import PlainData
from thrifty.budget.plan import Plan
from thrifty.budget.resources import RESOURCES
from thrifty.planning.compiling import build_model
from thrifty.planning.core import whole
from thrifty.planning.descent import descend, first_prices
from thrifty.planning.exact import search_exactly
from thrifty.planning.frontier import point_at
from thrifty.planning.model import MICRO, Item, Model
from thrifty.planning.problem import Problem
from thrifty.planning.relaxation import Relaxation
from thrifty.planning.result import Stop
from thrifty.planning.risk import MILLI, margin
from thrifty.planning.rows import Rows

ROUNDS = 120
STEP_SHARE = 20
"""A shadow price is shown for a twentieth of the limit, as a round number."""
QUESTION_NODES = 200_000
RAISES_MAX = 1_000
NOTHING = -inf
"""The value of a plan where there is none: plans may be worth less than nothing."""
BINDING_SHARE = 0.01
"""A limit whose price makes up less of the value than this does not count as binding."""


class ShadowPriceState(TypedDict):
    """A `ShadowPrice` as plain data."""

    resource: str
    limit: int
    used: int
    is_binding: bool
    value_per_unit: float
    step: int
    step_worth: float


@dataclass(frozen=True, slots=True)
class ShadowPrice(PlainData[ShadowPriceState]):
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
    step: int
    """A round amount of the resource."""
    step_worth: float
    """What that much more really brings, planned anew."""

    def __str__(self) -> str:
        show = next(r.show for r in RESOURCES if r.name == self.resource)
        return f"{show(self.step)} more would be worth +{self.step_worth:.2g}"


class EntryState(TypedDict):
    """An `Entry` as plain data."""

    option: str
    step: str
    reason: str
    increase: dict[str, int]


@dataclass(frozen=True, slots=True)
class Entry(PlainData[EntryState]):
    """What would bring in an option that was left out."""

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
    model = build_model(problem)
    chosen = _items(model, plan)
    prices = _prices(model, chosen)
    limits = {resource.name: limit for resource, limit in problem.available.limited()}
    result = []
    for row, (name, limit) in enumerate(limits.items()):
        clocked = model.clock is not None and model.clock.row == row
        room = model.time_left(chosen) if clocked else model.room_of(row, chosen)
        step = round_amount(limit // STEP_SHARE)
        richer = point_at(problem, problem.left.raised_by({name: step}))
        places = problem.concurrency if clocked else 1
        price = prices[row] * places * model.unit_micro / MICRO
        worth = max(0.0, richer.value - plan.value)
        binds = worth > 0.0 or price * limit > BINDING_SHARE * abs(plan.value)
        result.append(ShadowPrice(name, limit, limit - room, binds, price, step, worth))
    return tuple(result)


def entries(
    problem: Problem, plan: Plan, options: Collection[str] | None = None
) -> tuple[Entry, ...]:
    """What would bring in each option that was left out; exact, and so a matter of seconds for
    many options.

    Args:
        problem: what was planned.
        plan: its best plan.
        options: the names of those that are of interest; all when None.
    """
    names = [resource.name for resource, _ in problem.left.limited()]
    return tuple(
        Entry(
            left.option,
            left.step,
            left.reason,
            {
                name: more
                for name in names
                if (more := least_increase(problem, left.option, name))  # 0: as good as what is in
            },
        )
        for left in plan.left_out
        if options is None or left.option in options
    )


def least_increase(problem: Problem, option: str, resource: str) -> int | None:
    """By how much one limit must rise until a best plan has an option; None when it never does.

    Both the best value and the best value with the option rise with the limit, so from below
    the two catch up at the least increase: raise the limit until the option's plan is as good
    as the best plan was before, and again until nothing better is left.
    """
    forced = _forced(problem, option)
    if forced is None:
        return None
    increase, most = 0, ample(problem, resource)
    for _ in range(RAISES_MAX):
        target = _value_micro(problem, resource, increase)
        if target is None:
            return None
        enough = _least_for(forced, resource, target, increase, most)
        if enough is None or enough == increase:
            return enough
        increase = enough
    return None


def _least_for(forced: Problem, resource: str, target: float, low: int, high: int) -> int | None:
    """The least increase, from `low` on, that makes a plan with the option worth the target."""

    def reaches(increase: int) -> bool:
        value = _value_micro(forced, resource, increase)
        return value is not None and value >= target and value > NOTHING

    if reaches(low):
        return low
    if not reaches(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def _value_micro(problem: Problem, resource: str, increase: int) -> float | None:
    """The best value with that much more, a whole number; None when unproven."""
    model = build_model(replace(problem, left=problem.left.raised_by({resource: increase})))
    found = search_exactly(model, (), Stop(QUESTION_NODES))
    if not found.is_proven:
        return None
    return model.worth(found.items) * model.unit_micro if found.is_plan else NOTHING


def _forced(problem: Problem, name: str) -> Problem | None:
    """The problem in which an option must be chosen; none for one of a step that is done."""
    done = {step.name for step in problem.done}
    for step in problem.steps:
        for option in step.options:
            if option.name == name and step.name not in done:
                only = replace(step, options=(option,), required=True)
                steps = tuple(only if other is step else other for other in problem.steps)
                return replace(problem, steps=steps)
    return None


def ample(problem: Problem, resource: str) -> int:
    """An increase with which a limit can keep nothing out."""
    place = next(i for i, r in enumerate(RESOURCES) if r.name == resource)
    tail = max(1.0, margin(problem.risk, problem.surprises).z_milli / MILLI)
    shift = 1.0 + abs(margin(problem.risk, problem.surprises).shift_milli) / MILLI
    most = sum(
        max(o.estimate.amounts[place] * (1.0 + o.spread * tail * shift) for o in step.options)
        for step in problem.steps
    )
    return 2 * int(most) + 1 + problem.spent.amounts[place] + problem.kept_back.amounts[place]


def _prices(model: Model, plan: Sequence[Item]) -> list[float]:
    """The multiplier of each row, in units of value for a unit of the resource."""
    if not model.items:
        return [0.0] * len(model.rows)
    all_rows = Rows(model)
    relaxation = Relaxation(model, whole(model, all_rows), all_rows)
    start, value = first_prices(relaxation, plan), model.worth(plan)
    at = descend(relaxation, start, lambda: value, ROUNDS, lambda at: None)
    rows = list(at.prices.rows)
    for row in range(len(rows)):
        # A descent ends near the lowest bound, not at it: a price that does no good is none.
        free = [*rows[:row], 0.0, *rows[row + 1 :]]
        without = relaxation.solve(replace(at.prices, rows=free)).bound
        if without <= at.bound * (1.0 + BINDING_SHARE / 10):
            rows = free
    return [price * unit for price, unit in zip(rows, all_rows.units, strict=True)]


def _items(model: Model, plan: Plan) -> list[Item]:
    names = {option.name for option in plan.chosen}
    return [item for group in model.items for item in group if item.name in names]


def round_amount(amount: int) -> int:
    """The largest of 1, 2, 5, 10, 20, 50 ... that is not above an amount, and at least one."""
    power = 1
    while power * 10 <= amount:
        power *= 10
    return max(factor * power for factor in (1, 2, 5) if factor * power <= max(amount, 1))
