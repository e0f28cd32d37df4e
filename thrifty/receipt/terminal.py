"""Plan and receipt for a terminal; the one place outside `cli/` that knows rich.

Names and reasons come from recipes and models: they reach the screen as `Text`, never as
markup, and without control characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from thrifty.budget import Budget, Plan
from thrifty.budget.decision import Decision
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import COST, RESOURCES, Resource, format_bare
from thrifty.receipt import wording
from thrifty.receipt.charts import Gauge, gauges
from thrifty.receipt.receipt_data import Receipt, ReceiptLine

if TYPE_CHECKING:
    from thrifty.planning.explanation import RequiredIncrease, ShadowPrice

WIDE_COLUMNS_MIN = 72
"""Below this many columns, tables do without bars and blanks."""
BAR_CELLS = 12
HEADERS = ("tokens", "cost", "ms", "calls")
"""In the order of `RESOURCES`."""
EMPTY_LINE = Text("")


def plan_view(plan: Plan, budget: Budget) -> RenderableType:
    """The chosen steps with what each is expected to use, and why the others stayed out."""
    title = Text.assemble(("Plan  ", "bold"), wording.describe_plan(plan))
    parts: list[RenderableType] = [EMPTY_LINE, title]
    if plan.chosen:
        parts.append(_plan_table(plan, budget))
    if plan.left_out:
        reasons = ((each.reason, each.option) for each in plan.left_out)
        rows = _reason_rows("·", reasons)
        parts += [EMPTY_LINE, Text("Left out", style="bold"), _grid(rows)]
    return Group(*parts, EMPTY_LINE)


def increases_view(
    prices: Sequence[ShadowPrice], entries: Sequence[RequiredIncrease]
) -> RenderableType:
    """What more budget would buy; nothing where no limit binds."""
    lines = [str(price) for price in prices if price.is_binding and price.gain > 0]
    lines += [wording.describe_increase(entry) for entry in entries if entry.increase]
    if not lines:
        return Group()
    grid = _grid(("·", _text(line)) for line in lines)
    return Group(Text("With more budget", style="bold"), grid, EMPTY_LINE)


def make_table(texts: Iterable[str], figures: Iterable[str]) -> Table:
    """An empty table without a frame: texts break where they must, figures stand at the right."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for header in texts:
        table.add_column(header, style="dim" if header == "by" else "", overflow="fold")
    for header in figures:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def receipt_view(receipt: Receipt, width: int) -> RenderableType:
    """Steps, decisions, resources and, last, where a reader looks first, the verdict.

    Args:
        receipt: what to show.
        width: how many columns there are.
    """
    parts: list[RenderableType] = []
    if receipt.lines:
        parts += [_lines_table(receipt, width), *_status_reasons(receipt), EMPTY_LINE]
    if decisions := _untold_decisions(receipt):
        parts += [_decisions(decisions), EMPTY_LINE]
    parts += [_resources(receipt, width), EMPTY_LINE]
    if receipt.account:
        parts.append(Text(wording.describe_payer(receipt), style="dim"))
    parts.append(_verdict(receipt))
    return Group(*parts)


def receipt_text(receipt: Receipt, width: int = 80) -> str:
    """A receipt as `thrifty run` prints it, as plain text: to print, to log, or to send.

    Args:
        receipt: `Receipt.from_state(result["receipt"])`.
        width: how many columns there are.
    """
    # Wide or narrow, it is the same text wherever it is made.
    console = Console(
        file=StringIO(),
        width=width,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        console.print(receipt_view(receipt, width))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _plan_table(plan: Plan, budget: Budget) -> Table:
    columns = _step_columns(budget)

    def figures(amounts: Sequence[int | None]) -> list[str]:
        return [_format_step_figure(amounts[column], RESOURCES[column]) for column in columns]

    table = make_table(("Step", "by"), [*(HEADERS[column] for column in columns), "value"])
    for option in plan.chosen:
        name, executor = _text(option.name), _text(option.executor)
        table.add_row(name, executor, *figures(option.estimate.amounts), f"{option.value:.1f}")
    table.add_section()
    expected = figures(plan.expected.amounts)
    table.add_row("Expected", "", *expected, f"{plan.value:.1f}", style="bold")
    table.add_row("Limit", "", *figures(budget.limits), "", style="dim")
    return table


def _lines_table(receipt: Receipt, width: int) -> Table:
    columns, is_wide = _step_columns(receipt.budget), width >= WIDE_COLUMNS_MIN
    title, arrow = ("Planned → used", " → ") if is_wide else ("Planned, below it used", "\n")
    table = make_table(("", title), [*(HEADERS[column] for column in columns), "value"])
    pairs = [_planned_and_used(receipt.lines, column, arrow) for column in columns]
    for line, *figures in zip(receipt.lines, *pairs, strict=True):
        value = f"{line.value:.1f}" if line.value else "-"
        mark, style = wording.STATUS_MARKS[line.status]
        table.add_row(Text(mark, style), _label(line, style), *figures, value)
    return table


def _label(line: ReceiptLine, style: str) -> Text:
    what = _text(line.label)
    return what if line.status == "done" else what.append(f", {line.status}", style=style)


def _status_reasons(receipt: Receipt) -> list[RenderableType]:
    """Why lines are not simply done; those with the same reason together."""
    rows: list[tuple[RenderableType, Text]] = []
    for status, mark in wording.STATUS_MARKS.items():
        reasons = ((x.reason, x.label) for x in receipt.lines if x.status == status and x.reason)
        rows += _reason_rows(Text(*mark), reasons)
    return [EMPTY_LINE, _grid(rows)] if rows else []


def _reason_rows(
    mark: RenderableType, reasons_and_names: Iterable[tuple[str, str]]
) -> Iterator[tuple[RenderableType, Text]]:
    for reason, names in wording.group_by_reason(reasons_and_names):
        yield mark, Text.assemble(names, (f": {reason}", "dim"), overflow="fold")


def _grid(rows: Iterable[tuple[RenderableType, Text]]) -> Table:
    grid = Table.grid(padding=(0, 1))
    for row in rows:
        grid.add_row(*row)
    return grid


def _planned_and_used(lines: Sequence[ReceiptLine], column: int, arrow: str) -> list[Text]:
    """Planned and used of one resource, line by line, the arrows below each other."""
    resource = RESOURCES[column]
    planned = [
        _format_step_figure(x.planned.amounts[column], resource) if x.planned else "-"
        for x in lines
    ]
    actual = [_format_step_figure(line.actual.amounts[column], resource) for line in lines]
    width = max(map(len, actual))
    return [
        Text.assemble((f"{before}{arrow}", "dim"), f"{used:>{width}}")
        for before, used in zip(planned, actual, strict=True)
    ]


def _untold_decisions(receipt: Receipt) -> list[Decision]:
    """All but those whose reason is why the run was halted: that stands in the last line."""
    return [each for each in receipt.decisions if each.reason != receipt.halt_reason]


def _decisions(decisions: Sequence[Decision]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for decision in decisions:
        grid.add_row(f"{decision.at_ms:,} ms", decision.kind, _text(decision.reason))
    return Group(Text("Decisions", style="bold"), grid)


def _resources(receipt: Receipt, width: int) -> Table:
    table = make_table((), ())
    table.add_column("Resource", no_wrap=True)
    for name in ("limit", "planned", "used", "left"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for gauge in gauges(receipt):
        if gauge.resource is COST:  # what was planned is an estimate, what was used is a bill
            used = gauge.used if width >= WIDE_COLUMNS_MIN else wording.round_up_usd(gauge.used)
            gauge = gauge._replace(planned=wording.round_up_usd(gauge.planned), used=used)
        table.add_row(*_resource_row(gauge, width))
    return table


def _resource_row(gauge: Gauge, width: int) -> Iterator[RenderableType]:
    resource, limit, planned, used = gauge
    yield wording.RESOURCE_LABELS[resource.name]
    yield Text("none", style="dim") if limit is None else format_bare(limit, resource)
    yield format_bare(planned, resource) if planned or limit is not None else "-"
    yield Text(format_bare(used, resource), style="bold")
    if limit is not None:
        yield format_bare(gauge.left, resource)
        yield _share(used, limit, width)


def _verdict(receipt: Receipt) -> Text:
    style = "green" if receipt.status == "done" and not receipt.warnings else "yellow"
    style = style if receipt.within_budget else "red"
    verdict = Text(wording.describe_verdict(receipt), style=f"bold {style}")
    for told in filter(None, (wording.describe_worth(receipt), wording.describe_binding(receipt))):
        verdict.append(f" {told}", style="not bold default")
    return verdict


def _share(used: int, limit: int, width: int) -> Text:
    """How much of a limit is used: a bar and a percentage."""
    percent = -(-100 * used // limit) if limit else (100 if used else 0)
    style = "red" if used > limit else "yellow" if percent > 90 else "green"
    figure = Text(f"{percent:,}%".rjust(4))
    if width < WIDE_COLUMNS_MIN:
        return figure
    full = min(BAR_CELLS, -(-BAR_CELLS * percent // 100))  # rounded up: any use is seen
    return Text.assemble(("█" * full, style), ("░" * (BAR_CELLS - full), "dim"), " ", figure)


def _step_columns(budget: Budget) -> list[int]:
    """Which resources stand beside each step: without a limit on it, no cost is estimated."""
    return [
        place
        for place, resource in enumerate(RESOURCES)
        if resource is not COST or budget.max_cost_usd is not None
    ]


def _format_step_figure(amount: int | None, resource: Resource) -> str:
    """An amount below a heading that names its unit; money to a hundredth of a cent."""
    if amount is None:
        return "none"
    return wording.format_amount(amount, resource) if resource is COST else f"{amount:,}"


def _text(text: str) -> Text:
    return Text(single_line(text), overflow="fold")
