"""`thrifty estimates`: what earlier runs came to, and what is expected of later ones for it."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import click
from rich import box
from rich.table import Table
from rich.text import Text

from thrifty.budget import InvalidInput, StepOption
from thrifty.cli.bills import FILE, earlier_bills
from thrifty.cli.edge import debug_option
from thrifty.cli.screen import Screen
from thrifty.estimates.history import BilledOption, History
from thrifty.estimates.learned import learn
from thrifty.executors.catalog import load_catalog
from thrifty.executors.registry import LLM
from thrifty.planning.forecast import Doer, Seen
from thrifty.receipt.words import one_line
from thrifty.settings import home_folder

NOTHING = "No bills of this catalog's options yet: its estimates count as they are."
EPILOG = f"""\b
Examples:
  thrifty estimates
  thrifty estimates --catalog my.yaml --json

Bills are kept in {FILE}, beside the runs; delete it to begin anew. `thrifty run --no-learn`
neither reads nor adds any. Estimates steer a run; what it may spend does not rest on them.
"""


class Row(NamedTuple):
    """An option that has been billed."""

    work: BilledOption
    bills: int
    declared: StepOption
    expected: StepOption


@click.command(epilog=EPILOG)
@click.option("--catalog", metavar="FILE", help="A catalog of your own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@debug_option
def estimates(catalog: str | None, as_json: bool) -> None:
    """Show what is expected of options after what earlier runs have paid."""
    history = earlier_bills()
    if history.remark:
        raise InvalidInput(FILE, str(home_folder() / FILE), f"delete it; {history.remark}")
    rows = list(_rows(history, {o.name: o for o in load_catalog(catalog).options}))
    if as_json:
        click.echo(json.dumps({"estimates": [_as_data(row) for row in rows]}, indent=2))
        return
    Screen.of(as_json=False).result.print(_table(rows) if rows else NOTHING)


def _rows(history: History, known: dict[str, StepOption]) -> Iterator[Row]:
    for work, records in history.records.items():
        option = known.get(work.option)
        if option is None or option.executor != work.doer.executor:
            continue
        learned = learn(history, known.values(), partial(_doer, model=work.doer.model))
        expected = Seen(learned.tallies).forecast(learned.valued(option), work.doer)
        if expected != option:
            yield Row(work, len(records), option, expected)


def _doer(option: StepOption, model: str) -> Doer:
    return Doer(option.executor, model if option.executor == LLM else "")


def _table(rows: list[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("Option", overflow="fold")
    table.add_column("by", style="dim", overflow="fold")
    for name in ("bills", "tokens", "ms", "spread", "value"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        before, now = row.declared, row.expected
        table.add_row(
            Text(one_line(row.work.option)),
            Text(one_line(str(row.work.doer))),
            f"{row.bills:,}",
            f"{before.estimate.tokens:,} → {now.estimate.tokens:,}",
            f"{before.estimate.latency_ms:,} → {now.estimate.latency_ms:,}",
            f"{before.spread:.2f} → {now.spread:.2f}",
            f"{before.value:.1f} → {now.value:.1f}",
        )
    return table


def _as_data(row: Row) -> dict[str, Any]:
    return {
        "option": row.work.option,
        "executor": row.work.doer.executor,
        "model": row.work.doer.model,
        "bills": row.bills,
        "catalog": _estimate(row.declared),
        "expected": _estimate(row.expected),
    }


def _estimate(option: StepOption) -> dict[str, Any]:
    return {**option.estimate.to_state(), "spread": option.spread, "value": option.value}
