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
from thrifty.receipt.wording import format_share

COLUMNS_MAX = 100


def frontier_view(
    report: FrontierReport, curve: ValueCurve, width: int
) -> Iterable[RenderableType]:
    """The parts to print below each other; a screen that is too narrow has no curve."""
    if width >= COLUMNS_MIN:
        yield from (Text(terminal_plot(curve, min(width, COLUMNS_MAX))), "")
    yield from (_plan_changes_table(report, curve), "")
    yield from map(Text, report.sentences)


def _plan_changes_table(report: FrontierReport, curve: ValueCurve) -> Table:
    """Where the plan changes, and to what; dim beyond the budget that is given."""
    table = make_table((), (f"{curve.label} from", "value", "of best"))
    table.add_column("what changes", overflow="fold")
    before = FrontierPoint(report.current.budget, 0.0, 0.0, (), "")  # the plan of no budget
    for budget, point in zip(curve.budgets, report.points, strict=True):
        adds, drops = compare_points(before, point)
        if adds or drops:
            signs = [Text(f"+ {single_line(name)}", "green") for name in adds]
            signs += [Text(f"- {single_line(name)}", "red") for name in drops]
            style = "" if budget <= curve.current[0] else "dim"
            changes = Text("\n").join(signs)
            share = report.share_of(point)
            told = "-" if share is None else format_share(share)
            table.add_row(curve.show(budget), f"{point.value:.1f}", told, changes, style=style)
            before = point
    return table
