"""The least increase of a limit that makes a better plan fit, and what that plan gains.

Plans are made of whole options, so value rises in stairs: nothing happens up to the next stair,
and there a better plan fits. The stair is found by halving, as the best value never falls when
a limit rises.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from thrifty.budget.plain_data import PlainData
from thrifty.planning.engines import ENGINE_DEFAULT
from thrifty.planning.explanation import NO_PLAN_VALUE, unbinding_increase
from thrifty.planning.frontier import FrontierPoint, compare_points, frontier_point
from thrifty.planning.problem import Problem


@dataclass(frozen=True, slots=True)
class Upgrade(PlainData[dict[str, Any]]):
    """The least increase of one limit with which a better plan fits, and what that brings."""

    resource: str
    increase: int
    """In the unit of the resource."""
    gain: float
    """What the better plan is worth more; all that it is worth where there was none."""
    adds: tuple[str, ...]
    """The options that come in."""
    drops: tuple[str, ...]
    """The options that make place for them."""


def find_upgrades(
    problem: Problem, engine: str = ENGINE_DEFAULT, now: FrontierPoint | None = None
) -> tuple[Upgrade, ...]:
    """Finds the upgrade of each limit by itself; none for a limit that keeps nothing out.

    Args:
        problem: what was planned, with whole options.
        engine: which planner.
        now: what there is now, where that is more than whole options.
    """
    now = now or frontier_point(problem, problem.left, engine)
    names = (resource.name for resource, _ in problem.left.limited_resources())
    found = (_find_upgrade(problem, now, name, engine) for name in names)
    return tuple(filter(None, found))


def _find_upgrade(
    problem: Problem, now: FrontierPoint, resource: str, engine: str
) -> Upgrade | None:
    def point_at(increase: int) -> FrontierPoint:
        return frontier_point(problem, problem.left.raised_by({resource: increase}), engine)

    def is_better(increase: int) -> bool:
        return _comparable_value(point_at(increase)) > _comparable_value(now)

    # Where even no limit at all brings nothing better, there is nothing to look for.
    most = unbinding_increase(problem, resource)
    if not is_better(most):
        return None
    increase = bisect_left(range(most), True, key=is_better)
    better = point_at(increase)
    return Upgrade(resource, increase, better.value - now.value, *compare_points(now, better))


def _comparable_value(point: FrontierPoint) -> float:
    """The value of a plan; one that is worth less than nothing is better than none."""
    return NO_PLAN_VALUE if point.status == "infeasible" else point.value
