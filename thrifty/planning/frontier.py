"""What each budget would buy: the frontier of value over budget, along one resource or all.

Every point is an exact plan of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from thrifty.budget import validate
from thrifty.budget.limits import Budget
from thrifty.budget.plain_data import PlainData
from thrifty.budget.resources import RESOURCES
from thrifty.planning.engines import DEADLINE_MS_MAX, ENGINE_DEFAULT, make_plan
from thrifty.planning.problem import Problem

POINTS_DEFAULT = 50
ALL_RESOURCES = "all"

Prepare = Callable[[Problem], Problem]
"""What becomes of a problem once it is known what is left, such as that answers are shorter."""


def as_it_is(problem: Problem) -> Problem:
    """Nothing becomes of it."""
    return problem


@dataclass(frozen=True, slots=True)
class FrontierPoint(PlainData[dict[str, Any]]):
    """The best plan for one budget."""

    budget: Budget
    """What would be left to spend."""
    value: float
    bound: float
    """No plan within that budget is worth more."""
    options: tuple[str, ...]
    """The chosen options, in running order."""
    status: str
    """`optimal`, `feasible` or `infeasible`, as of a plan."""


def frontier(
    problem: Problem,
    resource: str = ALL_RESOURCES,
    points: int = POINTS_DEFAULT,
    *,
    up_to: Fraction | int = 2,
    engine: str = ENGINE_DEFAULT,
    prepare: Prepare = as_it_is,
) -> tuple[FrontierPoint, ...]:
    """The best plans for evenly spaced budgets, from nothing to a multiple of what is left.

    Args:
        problem: what is to be planned.
        resource: the limit that varies, or `all` limits in proportion.
        points: how many budgets to look at; the last is the whole multiple.
        up_to: the multiple.
        engine: which planner.
        prepare: what becomes of the problem within each budget.

    Raises:
        InvalidInput: an unknown resource or one without a limit, or no points.
    """
    limited = [limited.name for limited, _ in problem.left.limited_resources()]
    validate.choice("resource", resource, [*limited, ALL_RESOURCES])
    validate.amount("points", points, minimum=1, maximum=10_000)
    names = limited if resource == ALL_RESOURCES else [resource]
    # Exact, so that the last point is the whole multiple and none is off by rounding.
    shares = [Fraction(up_to) * i / points for i in range(1, points + 1)]
    return tuple(
        frontier_point(problem, scale_limits(problem.left, names, share), engine, prepare)
        for share in shares
    )


def compare_points(
    before: FrontierPoint, after: FrontierPoint
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The options that came in from one point to another, and those that went."""
    return (
        tuple(name for name in after.options if name not in before.options),
        tuple(name for name in before.options if name not in after.options),
    )


def frontier_point(
    problem: Problem, left: Budget, engine: str = ENGINE_DEFAULT, prepare: Prepare = as_it_is
) -> FrontierPoint:
    """The best plan if that were left."""
    prepared = prepare(replace(problem, left=left))
    # Without a deadline, so that the same curve is drawn on any machine.
    plan = make_plan(prepared, engine, deadline_ms=DEADLINE_MS_MAX, clock_ns=lambda: 0)
    names = tuple(option.name for option in plan.chosen)
    return FrontierPoint(left, plan.value, plan.bound, names, plan.status)


def scale_limits(budget: Budget, names: Sequence[str], share: Fraction) -> Budget:
    """A budget with that share of the named limits, rounded down."""
    return Budget.of_limits(
        int(limit * share) if limit is not None and resource.name in names else limit
        for resource, limit in zip(RESOURCES, budget.limits, strict=True)
    )
