"""The frontier on the screen: a curve, a table of where the plan changes, and sentences."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from thrifty.budget.plain_text import single_line
from thrifty.cli.frontier_report import FrontierReport
from thrifty.planning.frontier import FrontierPoint, compare_points
from thrifty.receipt.frontier_plot import COLUMNS_MIN, ValueCurve, terminal_plot
from thrifty.receipt.terminal import make_table
from thrifty.receipt.wording import LONGER_ANSWER, format_share

COLUMNS_MAX = 100
LONGER_DIVISOR = 5
"""A longer answer is a row of its own where it is worth this part of the best more."""


def frontier_view(
    report: FrontierReport, curve: ValueCurve, width: int
) -> Iterable[RenderableType]:
    """The parts to print below each other; a screen that is too narrow has no curve."""
    if width >= COLUMNS_MIN:
        yield from (Text(terminal_plot(curve, min(width, COLUMNS_MAX))), "")
    yield from (_plan_changes_table(report, curve), "")
    yield from map(Text, report.sentences)


def _plan_changes_table(report: FrontierReport, curve: ValueCurve) -> Table:
    """Where the plan changes, and to what, or its answer gets much longer; dim beyond the budget
    that is given."""
    table = make_table((), (f"{curve.label} from", "value", "of best"))
    table.add_column("what changes", overflow="fold")
    before = FrontierPoint(report.current.budget, 0.0, 0.0, (), "")  # the plan of no budget
    for budget, point in zip(curve.budgets, report.points, strict=True):
        if changes := _changes(before, point, report.best):
            share = report.share_of(point)
            told = "-" if share is None else format_share(share)
            style = "" if budget <= curve.current[0] else "dim"
            row = curve.show(budget), f"{point.value:.1f}", told, Text("\n").join(changes)
            table.add_row(*row, style=style)
            before = point
    return table


def _changes(before: FrontierPoint, point: FrontierPoint, best: float | None) -> list[Text]:
    """What is other in a plan than in the last one that was told of; empty where that is little."""
    adds, drops = compare_points(before, point)
    signs = [Text(f"+ {single_line(name)}", "green") for name in adds]
    signs += [Text(f"- {single_line(name)}", "red") for name in drops]
    gain = point.value - before.value
    is_whole = best is not None and gain > 0 and point.value >= best
    if not signs and best is not None and (gain >= best / LONGER_DIVISOR or is_whole):
        return [Text(LONGER_ANSWER, "green")]
    return signs
