"""What budgets would buy: found, and shown as a curve, as stairs and in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from thrifty.budget import InvalidInput
from thrifty.budget.resources import COST, LATENCY, RESOURCES, Resource
from thrifty.cli.bills import bills_for
from thrifty.cli.preview import problem_of
from thrifty.cli.request import Request
from thrifty.cli.screen import Screen, opening
from thrifty.planning.frontier import ALL, POINTS_DEFAULT, Point, difference, frontier, point_at
from thrifty.planning.upgrade import Upgrade, upgrades
from thrifty.receipt import words
from thrifty.receipt.plots import NARROWEST, ValueCurve, terminal_plot

UP_TO = 2
"""The curve ends at twice the budget."""
OVER = {label: name for name, label in words.LABELS.items()}
COLUMNS_MAX = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What budgets would buy."""

    over: str
    """The resource whose limit varies, or all."""
    chosen: Point
    points: tuple[Point, ...]
    next: tuple[Upgrade, ...]

    @property
    def says(self) -> tuple[str, ...]:
        """What more would buy, in sentences; at least one."""
        if self.next:
            return tuple(words.upgrade(upgrade) for upgrade in self.next)
        for place, point in enumerate(self.points, 1):
            if point.value > self.chosen.value:
                percent = round(100 * UP_TO * place / len(self.points))
                gain = point.value - self.chosen.value
                what = words.bought(*difference(self.chosen, point), gain)
                named = "every limit" if self.over == ALL else words.LABELS[self.over]
                return (f"No limit alone buys more; {percent}% of {named} buys {what}",)
        return (words.NOTHING_TO_BUY,)

    @property
    def resource(self) -> Resource | None:
        """The one whose limit varies."""
        return next((r for r in RESOURCES if r.name == self.over), None)


def find(request: Request, over: str | None, points: int | None) -> Found:
    """Plans for one budget after the other.

    Args:
        request: whose budget it is.
        over: which limit varies, as a person calls it; all in proportion when None.
        points: how many budgets to plan for.

    Raises:
        InvalidInput: that is not limited, or not so many.
    """
    problem, engine = problem_of(request, bills_for(request))[0], request.context.engine
    name = OVER.get(over or ALL, ALL)
    limited = [resource.name for resource, _ in problem.left.limited()]
    if name not in (*limited, ALL):
        known = ", ".join([ALL, *(words.LABELS[name] for name in limited)])
        remedy = f"limit it, or use one of: {known}"
        raise InvalidInput("over", over, remedy)
    count = POINTS_DEFAULT if points is None else points
    planned = frontier(problem, name, count, up_to=UP_TO, engine=engine)
    chosen = point_at(problem, problem.left, engine)
    return Found(name, chosen, planned, upgrades(problem, engine))


def curve_of(found: Found) -> ValueCurve:
    """What is to be drawn."""
    resource = found.resource
    values = tuple(point.value for point in found.points)
    if resource is None:
        share = 100 * UP_TO / len(values)
        shares = tuple(share * (place + 1) for place in range(len(values)))
        chosen = (100.0, found.chosen.value)
        return ValueCurve(shares, values, chosen, "budget", lambda at: f"{at:.0f}%", found.says[0])
    column = RESOURCES.index(resource)
    budgets = tuple(float(point.budget.limits[column] or 0) for point in found.points)
    chosen = (float(found.chosen.budget.limits[column] or 0), found.chosen.value)
    label = words.LABELS[resource.name]
    return ValueCurve(
        budgets, values, chosen, label, lambda at: _shown(resource, at), found.says[0]
    )


def _shown(resource: Resource, amount: float) -> str:
    """An amount at an axis."""
    if resource is COST:
        return resource.show(words.rounded_usd(round(amount)))
    return f"{amount:,.0f}" + (" ms" if resource is LATENCY else "")


def show(request: Request, found: Found, curve: ValueCurve, screen: Screen) -> None:
    """Shows it to a person."""
    result = screen.result
    result.print(*opening(request), "", sep="\n")
    if result.width >= NARROWEST:
        result.print(Text(terminal_plot(curve, min(result.width, COLUMNS_MAX))), "", sep="\n")
    result.print(_table(found, curve), "", sep="\n")
    for sentence in found.says:
        result.print(Text(sentence))


def _table(found: Found, curve: ValueCurve) -> Table:
    """The stairs: where the plan changes, and to what."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(f"{curve.label} from", justify="right", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("what changes", overflow="fold")
    for budget, point, changes in _stairs(found, curve):
        is_within = budget <= curve.chosen[0]
        table.add_row(
            curve.show(budget), f"{point.value:.1f}", changes, style="" if is_within else "dim"
        )
    return table


def _stairs(found: Found, curve: ValueCurve) -> Iterator[tuple[float, Point, Text]]:
    before = Point(found.chosen.budget, 0.0, 0.0, (), "")
    for budget, point in zip(curve.budgets, found.points, strict=True):
        adds, drops = difference(before, point)
        if adds or drops:
            signs = [(f"+ {words.one_line(name)}", "green") for name in adds]
            signs += [(f"- {words.one_line(name)}", "red") for name in drops]
            yield budget, point, Text("\n").join(Text(*sign) for sign in signs)
            before = point


def as_data(request: Request, found: Found) -> dict[str, Any]:
    """All of it as plain data."""
    return {
        "budget": request.budget.to_state(),
        "over": found.over,
        "chosen": found.chosen.to_state(),
        "points": [point.to_state() for point in found.points],
        "next": [upgrade.to_state() for upgrade in found.next],
        "says": list(found.says),
    }
