"""What the next bit of budget would buy: the marginal value of a limit, as a whole step.

Plans are made of whole options, so value rises in stairs: nothing happens up to the next stair,
and there a better plan fits. The stair is found by halving, as the best value never falls when
a limit rises.
"""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import TypedDict

from thrifty.budget.plain_data import PlainData
from thrifty.planning.engines import ENGINE_DEFAULT
from thrifty.planning.explanation import NOTHING, ample
from thrifty.planning.frontier import Point, difference, point_at
from thrifty.planning.problem import Problem


class UpgradeState(TypedDict):
    """A `Upgrade` as plain data."""

    resource: str
    increase: int
    gain: float
    adds: list[str]
    drops: list[str]


@dataclass(frozen=True, slots=True)
class Upgrade(PlainData[UpgradeState]):
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


def upgrades(problem: Problem, engine: str = ENGINE_DEFAULT) -> tuple[Upgrade, ...]:
    """What more of each limit would buy by itself; nothing for limits that keep nothing out."""
    now = point_at(problem, problem.left, engine)
    found = (
        _upgrade(problem, now, resource.name, engine) for resource, _ in problem.left.limited()
    )
    return tuple(each for each in found if each is not None)


def _upgrade(problem: Problem, now: Point, resource: str, engine: str) -> Upgrade | None:
    def at(increase: int) -> Point:
        return point_at(problem, problem.left.raised_by({resource: increase}), engine)

    low, high = 0, ample(problem, resource)
    better = at(high)
    if _worth(better) <= _worth(now):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        point = at(middle)
        if _worth(point) > _worth(now):
            high, better = middle, point
        else:
            low = middle
    return Upgrade(resource, high, better.value - now.value, *difference(now, better))


def _worth(point: Point) -> float:
    """The value of a plan; one that is worth less than nothing is better than none."""
    return NOTHING if point.status == "infeasible" else point.value
