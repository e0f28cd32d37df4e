"""Plan and receipt for a terminal; the one place outside `cli/` that knows rich.

Names and reasons come from catalogs and models: they reach the screen as `Text`, never as
markup, and without control characters.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thrifty.budget import Budget, Plan, Spend
from thrifty.budget.money import usd
from thrifty.budget.resources import COST, RESOURCES
from thrifty.receipt import words
from thrifty.receipt.record import Line, LineStatus, Receipt

NARROW = 72
"""Below this many columns, tables do without bars and blanks."""
BAR_CELLS = 12
HEADERS = {"tokens": "tokens", "cost": "cost", "latency": "ms", "tool_calls": "calls"}
MARKS: dict[LineStatus, tuple[str, str]] = {
    "done": ("✓", "green"),
    "cut": ("✂", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("-", "yellow"),
    "replaced": ("·", "dim"),
    "overhead": ("+", "cyan"),
}
"""How each status looks; a word stands beside every mark but the plain ✓."""


def plan_view(plan: Plan, budget: Budget) -> RenderableType:
    """The chosen steps with what each is expected to use, and why the others stayed out."""
    title = Text.assemble(("Plan  ", "bold"), words.headline(plan))
    parts: list[RenderableType] = [title]
    if plan.chosen:
        parts.append(_plan_table(plan, budget))
    if plan.left_out:
        parts += [Text(""), Text("Left out", style="bold"), _left_out(plan)]
    return Group(*parts)


def receipt_view(receipt: Receipt, width: int) -> RenderableType:
    """Steps, decisions, resources and, last, where a reader looks first, the verdict.

    Args:
        receipt: what to show.
        width: how many columns there are.
    """
    parts: list[RenderableType] = []
    if receipt.lines:
        parts += [_lines_table(receipt, width), Text("")]
    if receipt.decisions:
        parts += [_decisions(receipt), Text("")]
    parts += [_resources(receipt, width), Text(""), _verdict(receipt)]
    return Group(*parts)


def _plan_table(plan: Plan, budget: Budget) -> Table:
    shown = _columns(plan.expected, budget)
    table = _table()
    table.add_column("Step", ratio=1, overflow="fold")
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
    for reason, names in words.reasons(plan.left_out):
        grid.add_row("·", Text.assemble(names, (f": {reason}", "dim"), overflow="fold"))
    return grid


def _lines_table(receipt: Receipt, width: int) -> Table:
    shown = _columns(receipt.spent + receipt.planned, receipt.budget)
    table = _table()
    table.add_column("Planned → used", ratio=1, overflow="fold")
    for column in shown:
        table.add_column(HEADERS[RESOURCES[column].name], justify="right", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    arrow = " → " if width >= NARROW else "→"
    pairs = [_pairs(receipt.lines, column, arrow) for column in shown]
    for row, line in enumerate(receipt.lines):
        value = f"{line.value:.1f}" if line.value else "-"
        table.add_row(_what(line), *(column[row] for column in pairs), value)
    return table


def _what(line: Line) -> Text:
    mark, style = MARKS[line.status]
    what = Text.assemble((f"{mark} ", style), words.one_line(line.what), overflow="fold")
    if line.status != "done":
        reason = words.one_line(line.reason)
        what.append(f"\n  {line.status}{f': {reason}' if reason else ''}", style=style)
    return what


def _pairs(lines: Sequence[Line], column: int, arrow: str) -> list[Text]:
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
    left = receipt.budget.left_after(receipt.spent)
    table = _table()
    table.add_column("Resource")
    for name in ("limit", "planned", "used", "left"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    rows = zip(RESOURCES, *(s.amounts for s in (receipt.planned, receipt.spent)), strict=True)
    for (resource, planned, used), limit, rest in zip(
        rows, receipt.budget.limits, left.limits, strict=True
    ):
        if limit is None and not planned and not used:
            continue
        show = resource.show
        table.add_row(
            words.LABELS[resource.name],
            Text("none", style="dim") if limit is None else _bare(show(limit)),
            _bare(show(planned)),
            Text(_bare(show(used)), style="bold"),
            "" if rest is None else _bare(show(rest)),
            "" if limit is None else _share(used, limit, width),
        )
    return table


def _verdict(receipt: Receipt) -> Text:
    style = "green" if receipt.status == "done" else "yellow"
    style = style if receipt.within_budget else "red"
    said = Text(words.verdict(receipt), style=f"bold {style}")
    return said.append(f" {words.binding(receipt)}", style="not bold default")


def _share(used: int, limit: int, width: int) -> Text:
    """How much of a limit is used: a bar and a percentage."""
    percent = -(-100 * used // limit) if limit else (100 if used else 0)
    style = "red" if used > limit else "yellow" if percent > 90 else "green"
    said = Text(f"{percent:,}%".rjust(4))
    if width < NARROW:
        return said
    full = min(BAR_CELLS, -(-BAR_CELLS * percent // 100))
    return Text.assemble(("█" * full, style), ("░" * (BAR_CELLS - full), "dim"), " ", said)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def _columns(spend: Spend, budget: Budget) -> list[int]:
    """Which resources have something to show; money often has not."""
    return [
        place
        for place, resource in enumerate(RESOURCES)
        if resource is not COST or spend.cost_nano_usd or budget.max_cost_usd is not None
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
    exact = usd(amount)
    places = Decimal("0.01") if exact >= 10 or not exact else Decimal("0.0001")
    return f"${exact.quantize(places, ROUND_CEILING):,}"


def _bare(figure: str) -> str:
    """Without a unit that the row's name says already: "2,200 tokens" beside "tokens"."""
    return (
        figure.removesuffix(" tokens")
        .removesuffix(" token")
        .removesuffix(" calls")
        .removesuffix(" call")
    )


def _text(text: str) -> Text:
    return Text(words.one_line(text), overflow="fold")
