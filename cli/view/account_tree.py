"""Accounts on the screen: a tree, with what each limit has left and when it resets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from thrifty.budget.local_time import load_zone, local_time
from thrifty.budget.periods import NO_LIMIT, PERIOD_PHRASES
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import COST, LATENCY, RESOURCES, Resource
from thrifty.cli.account_report import AccountReport
from thrifty.ledger.records import PeriodBalance
from thrifty.receipt.terminal import make_table
from thrifty.receipt.wording import RESOURCE_LABELS, format_figure, round_down_usd

LITTLE_LEFT_SHARE = 0.2
"""Of a limit: where less is left, it is marked."""
DAY_MS = 86_400_000


class TreeRow(NamedTuple):
    """A line of the tree: of one limit, or of what is spent without any."""

    name: Text
    limit: Text
    spent: str
    reserved: str
    left: Text
    reset: Text


def account_tree(reports: Sequence[AccountReport], now_ms: int) -> RenderableType:
    """The accounts, those below another one under it."""
    accounts = [account for report in reports for account in report.walk()]
    zones = {account.info.zone for account in accounts if account.has_windows}
    view = _TreeView(now_ms, is_zone_shown=len(zones) > 1)
    rows = [row for report in reports for row in view.rows(report)]
    has_reserved = any(row.reserved for row in rows)
    table = make_table(("account", "limit"), ("spent", *(["reserved"] * has_reserved), "left"))
    table.add_column("resets", no_wrap=True)
    for row in rows:
        held = [row.reserved] * has_reserved
        table.add_row(row.name, row.limit, row.spent, *held, row.left, row.reset)
    if len(zones) != 1:
        return table
    return Group(table, "", Text(f"Times are those of {zones.pop()}.", style="dim"))


@dataclass(frozen=True, slots=True)
class _TreeView:
    now_ms: int
    is_zone_shown: bool
    """Whether each time has its zone, as they differ."""

    def rows(self, report: AccountReport, head: str = "", indent: str = "") -> Iterator[TreeRow]:
        """An account's rows, and those of the accounts below it.

        Args:
            report: the account.
            head: the branch that leads to its name.
            indent: what stands before its other rows, and before the branches below it.
        """
        name = _describe_account(report, head)
        rest = Text(f"{indent}{'│ ' if report.below or report.runs else ''}", style="dim")
        for period in report.periods:
            reset = Text(self._describe_reset(period, report.info.zone))
            for limit, spent, reserved, left in _limit_cells(period):
                open_cells = (Text(), Text()) if report.balance.is_closed else (left, reset)
                yield TreeRow(name, limit, spent, reserved, *open_cells)
                name = rest
        for below in report.below:
            is_last = below is report.below[-1] and not report.runs
            branch, further = ("└ ", "  ") if is_last else ("├ ", "│ ")
            yield from self.rows(below, f"{indent}{branch}", f"{indent}{further}")
        if report.runs:
            runs = Text(f"{indent}└ {report.runs:,} run{'' if report.runs == 1 else 's'}", "dim")
            yield TreeRow(runs, Text(), "", "", Text(), Text())

    def _describe_reset(self, period: PeriodBalance, zone: str) -> str:
        """When a window ends: of a month the date, of others the time where it is within a day."""
        if (at_ms := period.resets_at_ms) is None:
            return ""
        moment = local_time(at_ms, load_zone(zone))
        time = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
        is_far = period.period == "month" or at_ms - self.now_ms > DAY_MS
        shown = f"{moment:%Y-%m-%d}" if is_far else time
        return f"{shown} {moment:%Z}" if self.is_zone_shown else shown


def _describe_account(report: AccountReport, head: str) -> Text:
    name = Text.assemble((head, "dim"), (single_line(report.info.name), "bold"))
    if report.info.is_closed:
        name.append(" closed", style="yellow")
    return name


def _limit_cells(period: PeriodBalance) -> Iterator[tuple[Text, str, str, Text]]:
    """Limit, spent, reserved and left of each resource that is limited, or that is used."""
    budget, spends, holds = period.budget, period.spent.amounts, period.reserved.amounts
    lefts = period.left.limits
    is_shown = False
    for resource, limit, spent, held, left in zip(
        RESOURCES, budget.limits, spends, holds, lefts, strict=True
    ):
        figures = format_figure(spent, resource), format_figure(held, resource) if held else ""
        if limit is not None and left is not None:
            said = Text(f"{resource.show(limit)} {PERIOD_PHRASES[period.period]}")
            style = "red" if left == 0 else "yellow" if left < LITTLE_LEFT_SHARE * limit else ""
            yield said, *figures, Text(format_left(left, resource), style=style)
        elif budget.is_unlimited and (spent or held) and resource is not LATENCY:
            label = f"{RESOURCE_LABELS[resource.name]}, {NO_LIMIT}"
            yield Text(label, style="dim"), *figures, Text()
        else:
            continue
        is_shown = True
    if not is_shown:
        yield Text(NO_LIMIT, style="dim"), "-", "", Text()


def format_left(left: int, resource: Resource) -> str:
    """What is left of a limit, without the unit where the limit says it."""
    return format_figure(round_down_usd(left) if resource is COST else left, resource)
