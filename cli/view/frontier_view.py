"""The frontier: what budgets would buy, planned, and shown as a curve, a table and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from thrifty.budget import InvalidInput
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import COST, LATENCY, RESOURCES, Resource
from thrifty.cli.bill_history import read_bills_for
from thrifty.cli.plan_preview import first_problem
from thrifty.cli.run_request import RunRequest
from thrifty.cli.view.screen import Screen, opening_lines
from thrifty.planning.frontier import (
    ALL_RESOURCES,
    POINTS_DEFAULT,
    FrontierPoint,
    compare_points,
    frontier,
    frontier_point,
)
from thrifty.planning.upgrade import Upgrade, find_upgrades
from thrifty.receipt import wording
from thrifty.receipt.frontier_plot import COLUMNS_MIN, ValueCurve, terminal_plot

BUDGET_FACTOR_MAX = 2
"""The curve ends at twice the budget."""
RESOURCE_BY_LABEL = {label: name for name, label in wording.RESOURCE_LABELS.items()}
COLUMNS_MAX = 100


@dataclass(frozen=True, slots=True)
class FrontierReport:
    """What budgets would buy."""

    over: str
    """The resource whose limit varies, or all."""
    current: FrontierPoint
    points: tuple[FrontierPoint, ...]
    upgrades: tuple[Upgrade, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What more would buy, in sentences; at least one."""
        if self.upgrades:
            return tuple(wording.describe_upgrade(upgrade) for upgrade in self.upgrades)
        for place, point in enumerate(self.points, 1):
            if point.value > self.current.value:
                percent = round(100 * BUDGET_FACTOR_MAX * place / len(self.points))
                gain = point.value - self.current.value
                what = wording.describe_gain(*compare_points(self.current, point), gain)
                named = (
                    "every limit"
                    if self.over == ALL_RESOURCES
                    else wording.RESOURCE_LABELS[self.over]
                )
                return (f"No limit alone buys more; {percent}% of {named} buys {what}",)
        return (wording.NOTHING_GAINED,)

    @property
    def resource(self) -> Resource | None:
        """The one whose limit varies."""
        return next((r for r in RESOURCES if r.name == self.over), None)


def plan_frontier(request: RunRequest, over: str | None, points: int | None) -> FrontierReport:
    """Plans for one budget after the other.

    Args:
        request: whose budget it is.
        over: which limit varies, as a person calls it; all in proportion when None.
        points: how many budgets to plan for.

    Raises:
        InvalidInput: that is not limited, or not so many.
    """
    problem, engine = first_problem(request, read_bills_for(request))[0], request.context.engine
    name = RESOURCE_BY_LABEL.get(over or ALL_RESOURCES, ALL_RESOURCES)
    limited = [resource.name for resource, _ in problem.left.limited_resources()]
    if name not in (*limited, ALL_RESOURCES):
        known = ", ".join([ALL_RESOURCES, *(wording.RESOURCE_LABELS[name] for name in limited)])
        remedy = f"limit it, or use one of: {known}"
        raise InvalidInput("over", over, remedy)
    count = POINTS_DEFAULT if points is None else points
    planned = frontier(problem, name, count, up_to=BUDGET_FACTOR_MAX, engine=engine)
    chosen = frontier_point(problem, problem.left, engine)
    return FrontierReport(name, chosen, planned, find_upgrades(problem, engine))


def value_curve(report: FrontierReport) -> ValueCurve:
    """What is to be drawn."""
    resource = report.resource
    values = tuple(point.value for point in report.points)
    if resource is None:
        share = 100 * BUDGET_FACTOR_MAX / len(values)
        shares = tuple(share * (place + 1) for place in range(len(values)))
        chosen = (100.0, report.current.value)
        return ValueCurve(
            shares, values, chosen, "budget", lambda at: f"{at:.0f}%", report.sentences[0]
        )
    column = RESOURCES.index(resource)
    budgets = tuple(float(point.budget.limits[column] or 0) for point in report.points)
    chosen = (float(report.current.budget.limits[column] or 0), report.current.value)
    label = wording.RESOURCE_LABELS[resource.name]
    return ValueCurve(
        budgets, values, chosen, label, lambda at: _format_amount(resource, at), report.sentences[0]
    )


def _format_amount(resource: Resource, amount: float) -> str:
    """An amount at an axis."""
    if resource is COST:
        return resource.show(wording.round_up_usd(round(amount)))
    return f"{amount:,.0f}" + (" ms" if resource is LATENCY else "")


def print_frontier(
    request: RunRequest, report: FrontierReport, curve: ValueCurve, screen: Screen
) -> None:
    """Shows it to a person."""
    result = screen.result
    result.print(*opening_lines(request), "", sep="\n")
    if result.width >= COLUMNS_MIN:
        result.print(Text(terminal_plot(curve, min(result.width, COLUMNS_MAX))), "", sep="\n")
    result.print(_plan_changes_table(report, curve), "", sep="\n")
    for sentence in report.sentences:
        result.print(Text(sentence))


def _plan_changes_table(report: FrontierReport, curve: ValueCurve) -> Table:
    """Where the plan changes, and to what."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(f"{curve.label} from", justify="right", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("what changes", overflow="fold")
    for budget, point, changes in _plan_changes(report, curve):
        is_within = budget <= curve.current[0]
        table.add_row(
            curve.show(budget), f"{point.value:.1f}", changes, style="" if is_within else "dim"
        )
    return table


def _plan_changes(
    report: FrontierReport, curve: ValueCurve
) -> Iterator[tuple[float, FrontierPoint, Text]]:
    before = FrontierPoint(report.current.budget, 0.0, 0.0, (), "")
    for budget, point in zip(curve.budgets, report.points, strict=True):
        adds, drops = compare_points(before, point)
        if adds or drops:
            signs = [(f"+ {single_line(name)}", "green") for name in adds]
            signs += [(f"- {single_line(name)}", "red") for name in drops]
            yield budget, point, Text("\n").join(Text(*sign) for sign in signs)
            before = point


def frontier_data(request: RunRequest, report: FrontierReport) -> dict[str, Any]:
    """All of it as plain data."""
    return {
        "budget": request.budget.to_state(),
        "over": report.over,
        "chosen": report.current.to_state(),
        "points": [point.to_state() for point in report.points],
        "next": [upgrade.to_state() for upgrade in report.upgrades],
        "says": list(report.sentences),
    }
