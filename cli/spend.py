"""`thrifty spend`: what was spent, by account, tag, model or day."""

import time
from typing import get_args

import click

from thrifty.budget.clock import NANO_PER_MS
from thrifty.budget.periods import time_zone
from thrifty.cli.kept_accounts import complete_account_name, open_kept_accounts
from thrifty.cli.shared_options import flag_option, json_option
from thrifty.cli.since_argument import read_since
from thrifty.cli.spend_report import SpendGrouping, report_spend
from thrifty.cli.view.screen import Screen, print_json
from thrifty.cli.view.spend_table import spend_csv, spend_notes, spend_table


@click.command(
    epilog="""\b
Examples:
  thrifty spend
  thrifty spend --by day --since 7d
  thrifty spend --by model --account team --since 2026-11-01
  thrifty spend --by tag --csv > november.csv

\b
  account  the accounts that you opened, with the runs that they pay for
  tag      what calls were tagged with, as name=value
  model    the models that were asked
  day      the days on which calls were reserved

A call that is under way counts with all that is reserved for it, and one in doubt with all
that it may have cost.
"""
)
@click.option(
    "--by",
    "grouping",
    type=click.Choice(get_args(SpendGrouping)),
    default="account",
    show_default=True,
    help="What makes a row.",
)
@click.option(
    "--account",
    metavar="NAME",
    shell_complete=complete_account_name,
    help="This account and those below it alone.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help="A day (2026-11-30), a time (2026-11-30T12:00), today, or how long ago (7d, 24h).",
)
@click.option(
    "--zone", metavar="ZONE", help="The time zone of days.  [the account's; without one, UTC]"
)
@flag_option("--csv", "as_csv", help="Lines for a spreadsheet on standard output.")
@json_option
def spend(
    grouping: SpendGrouping,
    account: str | None,
    since: str | None,
    zone: str | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Show what was spent, summed over the calls in the ledger."""
    if as_csv and as_json:
        raise click.UsageError("Say --csv or --json, not both.")
    with open_kept_accounts() as accounts:
        home = accounts.require_account("--account", account).zone if account else "UTC"
        where = time_zone(zone or home, "--zone")
        since_ms = read_since("--since", since, where, time.time_ns() // NANO_PER_MS)
        report = report_spend(accounts, grouping, account=account, since_ms=since_ms, zone=where)
    if as_json:
        start_ms = None if since is None else since_ms
        print_json({"account": account, "since_ms": start_ms, **report.to_data()})
        return
    if as_csv:
        click.echo(spend_csv(report), nl=False)
        return
    screen = Screen.of()
    if not report.rows:
        screen.result.print("Nothing was spent.")
        return
    screen.result.print(spend_table(report))
    for note in spend_notes(report):
        screen.notes.print(note)
