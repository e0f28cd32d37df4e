"""Sums of calls on the screen, and as lines of values with commas between them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO

from rich.table import Table
from rich.text import Text

from thrifty.budget.dollars import usd
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import COST
from thrifty.cli.spend_report import SpendReport, SpendRow
from thrifty.receipt.terminal import make_table
from thrifty.receipt.wording import describe_spend, format_figure

NAMELESS = {
    "account": "(runs on no account)",
    "tag": "(no tag)",
    "model": "(no model)",
    "day": "",
}
"""What stands for calls that have no name in a grouping."""
CSV_FIELDS = ("calls", "tokens", "cost_usd", "latency_ms", "entries")
"""In the order of the table, which has no room for entries: a call may have several attempts."""


def spend_table(report: SpendReport) -> Table:
    """A row for each group, and the total."""
    table = make_table((report.grouping,), ("calls", "tokens", "cost", "ms"))
    for row in report.rows:
        name = single_line(row.name)
        shown = Text(name) if name else Text(NAMELESS[report.grouping], style="dim")
        table.add_row(shown, *_figures(row))
    table.add_section()
    table.add_row("total", *_figures(report.total), style="bold")
    return table


def spend_notes(report: SpendReport) -> Iterator[str]:
    """What the sums have in them that is not certain, in sentences."""
    if report.under_way.entries:
        yield f"Under way: {_describe_row(report.under_way)} at the most."
    if report.in_doubt.entries:
        yield f"In doubt: {_describe_row(report.in_doubt)}, charged in full."
    if report.grouping == "tag" and sum(row.entries for row in report.rows) > report.total.entries:
        yield "A call with several tags is in a row of each, and once in the total."


def spend_csv(report: SpendReport) -> str:
    """A line for each group, without the total; money in dollars."""
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow((report.grouping, *CSV_FIELDS))
    for row in report.rows:
        tokens, cost_nano_usd, latency_ms, tool_calls = row.spend.amounts
        dollars = f"{usd(cost_nano_usd):f}"
        name = single_line(row.name)
        lines.writerow((name, tool_calls, tokens, dollars, latency_ms, row.entries))
    return text.getvalue()


def _figures(row: SpendRow) -> Iterator[str]:
    tokens, cost_nano_usd, latency_ms, tool_calls = row.spend.amounts
    yield f"{tool_calls:,}"
    yield f"{tokens:,}"
    yield format_figure(cost_nano_usd, COST)
    yield f"{latency_ms:,}"


def _describe_row(row: SpendRow) -> str:
    return describe_spend(replace(row.spend, latency_ms=0))
