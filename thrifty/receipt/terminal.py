"""Plan and receipt for a terminal; the one place outside `cli/` that knows rich.

Names and reasons come from catalogs and models: they reach the screen as `Text`, never as
markup, and without control characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thrifty.budget import Budget, Plan
from thrifty.budget.dollars import format_usd
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import COST, RESOURCES, TOKENS, TOOL_CALLS, Resource
from thrifty.receipt import wording
from thrifty.receipt.receipt_data import Receipt, ReceiptLine, ReceiptLineStatus

if TYPE_CHECKING:
    from thrifty.planning.explanation import RequiredIncrease, ShadowPrice

WIDE_COLUMNS_MIN = 72
"""Below this many columns, tables do without bars and blanks."""
BAR_CELLS = 12
HEADERS = {"tokens": "tokens", "cost": "cost", "latency": "ms", "tool_calls": "calls"}
BLANK = Text("")
STATUS_STYLES: dict[ReceiptLineStatus, str] = {
    "done": "green",
    "cut": "yellow",
    "failed": "red",
    "skipped": "yellow",
    "stopped": "yellow",
    "replaced": "dim",
    "overhead": "cyan",
}
"""How each mark looks; a word stands beside every mark but the plain ✓."""


def plan_view(plan: Plan, budget: Budget) -> RenderableType:
    """The chosen steps with what each is expected to use, and why the others stayed out."""
    title = Text.assemble(("Plan  ", "bold"), wording.describe_plan(plan))
    parts: list[RenderableType] = [BLANK, title]
    if plan.chosen:
        parts.append(_plan_table(plan, budget))
    if plan.left_out:
        parts += [BLANK, Text("Left out", style="bold"), _left_out(plan)]
    return Group(*parts, BLANK)


def increases_view(
    prices: Sequence[ShadowPrice], entries: Sequence[RequiredIncrease]
) -> RenderableType:
    """What more budget would buy; nothing where no limit binds."""
    told = [str(price) for price in prices if price.is_binding and price.gain > 0]
    told += [wording.describe_increase(entry) for entry in entries if entry.increase]
    if not told:
        return Group()
    grid = Table.grid(padding=(0, 1))
    for line in told:
        grid.add_row("·", _text(line))
    return Group(Text("With more budget", style="bold"), grid, BLANK)


def receipt_view(receipt: Receipt, width: int) -> RenderableType:
    """Steps, decisions, resources and, last, where a reader looks first, the verdict.

    Args:
        receipt: what to show.
        width: how many columns there are.
    """
    parts: list[RenderableType] = []
    if receipt.lines:
        parts += [_lines_table(receipt, width), *_status_reasons(receipt), BLANK]
    if receipt.decisions:
        parts += [_decisions(receipt), BLANK]
    parts += [_resources(receipt, width), BLANK, _verdict(receipt)]
    return Group(*parts)


def _plan_table(plan: Plan, budget: Budget) -> Table:
    shown = _columns(budget)
    table = _table()
    table.add_column("Step", overflow="fold")
    table.add_column("by", style="dim", overflow="fold")
    for column in shown:
        table.add_column(HEADERS[RESOURCES[column].name], justify="right", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    for option in plan.chosen:
        figures = _figures(option.estimate.amounts, shown)
        name, executor = _text(option.name), _text(option.executor)
        table.add_row(name, executor, *figures, f"{option.value:.1f}")
    table.add_section()
    expected = _figures(plan.expected.amounts, shown)
    table.add_row("Expected", "", *expected, f"{plan.value:.1f}", style="bold")
    table.add_row("Limit", "", *_figures(budget.limits, shown), "", style="dim")
    return table


def _left_out(plan: Plan) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for reason, names in wording.group_by_reason(
        (each.reason, each.option) for each in plan.left_out
    ):
        grid.add_row("·", Text.assemble(names, (f": {reason}", "dim"), overflow="fold"))
    return grid


def _lines_table(receipt: Receipt, width: int) -> Table:
    shown = _columns(receipt.budget)
    table = _table()
    table.add_column("", no_wrap=True)
    table.add_column(
        f"Planned{' → ' if width >= WIDE_COLUMNS_MIN else ', below it '}used", overflow="fold"
    )
    for column in shown:
        table.add_column(HEADERS[RESOURCES[column].name], justify="right", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    arrow = " → " if width >= WIDE_COLUMNS_MIN else "\n"
    pairs = [_planned_and_used(receipt.lines, column, arrow) for column in shown]
    for row, line in enumerate(receipt.lines):
        value = f"{line.value:.1f}" if line.value else "-"
        mark, style = wording.STATUS_MARKS[line.status], STATUS_STYLES[line.status]
        table.add_row(
            Text(mark, style), _label(line, style), *(column[row] for column in pairs), value
        )
    return table


def _label(line: ReceiptLine, style: str) -> Text:
    what = _text(line.label)
    return what if line.status == "done" else what.append(f", {line.status}", style=style)


def _status_reasons(receipt: Receipt) -> list[RenderableType]:
    """Why lines are not simply done; those with the same reason together."""
    grid = Table.grid(padding=(0, 1))
    for status, style in STATUS_STYLES.items():
        ended = ((x.reason, x.label) for x in receipt.lines if x.status == status and x.reason)
        for reason, names in wording.group_by_reason(ended):
            grid.add_row(
                Text(wording.STATUS_MARKS[status], style),
                Text.assemble(names, (f": {reason}", "dim")),
            )
    return [BLANK, grid] if grid.row_count else []


def _planned_and_used(lines: Sequence[ReceiptLine], column: int, arrow: str) -> list[Text]:
    """Planned and used of one resource, line by line, the arrows below each other."""
    money = RESOURCES[column] is COST
    planned = [
        "-" if x.planned is None else _figure(x.planned.amounts[column], money) for x in lines
    ]
    actual = [_figure(line.actual.amounts[column], money) for line in lines]
    width = max(len(figure) for figure in actual)
    return [
        Text.assemble((f"{before}{arrow}", "dim"), f"{used:>{width}}")
        for before, used in zip(planned, actual, strict=True)
    ]


def _decisions(receipt: Receipt) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for decision in receipt.decisions:
        grid.add_row(f"{decision.at_ms:,} ms", decision.kind, _text(decision.reason))
    return Group(Text("Decisions", style="bold"), grid)


def _resources(receipt: Receipt, width: int) -> Table:
    table = _table()
    table.add_column("Resource", no_wrap=True)
    for name in ("limit", "planned", "used", "left"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row, resource in enumerate(RESOURCES):
        planned, used = receipt.planned.amounts[row], receipt.spent.amounts[row]
        limit = receipt.budget.limits[row]
        if resource is COST and width < WIDE_COLUMNS_MIN:
            planned, used = wording.round_up_usd(planned), wording.round_up_usd(used)
        if limit is not None or planned or used:
            table.add_row(*_resource_row(resource, limit, planned, used, width))
    return table


def _resource_row(
    resource: Resource, limit: int | None, planned: int, used: int, width: int
) -> Iterator[RenderableType]:
    yield wording.RESOURCE_LABELS[resource.name]
    yield Text("none", style="dim") if limit is None else _amount(resource, limit)
    yield _amount(resource, planned) if planned or limit is not None else "-"
    yield Text(_amount(resource, used), style="bold")
    if limit is not None:
        yield _amount(resource, max(0, limit - used))
        yield _share(used, limit, width)


def _verdict(receipt: Receipt) -> Text:
    style = "green" if receipt.status == "done" else "yellow"
    style = style if receipt.within_budget else "red"
    said = Text(wording.describe_verdict(receipt), style=f"bold {style}")
    return said.append(f" {wording.describe_binding(receipt)}", style="not bold default")


def _share(used: int, limit: int, width: int) -> Text:
    """How much of a limit is used: a bar and a percentage."""
    percent = -(-100 * used // limit) if limit else (100 if used else 0)
    style = "red" if used > limit else "yellow" if percent > 90 else "green"
    said = Text(f"{percent:,}%".rjust(4))
    if width < WIDE_COLUMNS_MIN:
        return said
    full = min(BAR_CELLS, -(-BAR_CELLS * percent // 100))
    return Text.assemble(("█" * full, style), ("░" * (BAR_CELLS - full), "dim"), " ", said)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def _columns(budget: Budget) -> list[int]:
    """Which resources stand beside each step: without a limit on it, no cost is estimated."""
    return [
        place
        for place, resource in enumerate(RESOURCES)
        if resource is not COST or budget.max_cost_usd is not None
    ]


def _figures(amounts: Iterable[int | None], shown: Sequence[int]) -> list[str]:
    every = list(amounts)
    return [_figure(every[column], RESOURCES[column] is COST) for column in shown]


def _figure(amount: int | None, money: bool) -> str:
    """An amount without its unit; money to a hundredth of a cent, rounded up."""
    if amount is None:
        return "none"
    if not money:
        return f"{amount:,}"
    return format_usd(wording.round_up_usd(amount))


def _amount(resource: Resource, amount: int) -> str:
    """With its unit, unless the row's name says it: "2,200" beside "tokens", "980 ms"."""
    return f"{amount:,}" if resource in (TOKENS, TOOL_CALLS) else resource.show(amount)


def _text(text: str) -> Text:
    return Text(single_line(text), overflow="fold")
