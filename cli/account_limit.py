"""`thrifty account limit`: gives an account other limits."""

import click

from thrifty.budget.periods import format_limits, limits_by_period, time_zone
from thrifty.cli.kept_accounts import account_argument, open_kept_accounts, zone_option
from thrifty.cli.shared_options import json_option
from thrifty.cli.view.account_page import show_accounts

FIELDS = {"account": "NAME", "zone": "--zone"}


@click.command(
    epilog="""\b
Examples:
  thrifty account limit me '$8 a day, $60 a month'
  thrifty account limit me 'no limit'

These limits replace all that the account had. They hold at once: below what is used, no new
call fits, and what is paid stays paid. `thrifty account open --help` says how limits are
written.
"""
)
@account_argument
@click.argument("limits", metavar="LIMITS")
@zone_option
@json_option
def limit(name: str, limits: str, zone: str | None, as_json: bool) -> None:
    """Give an account other limits."""
    by_period = limits_by_period(limits, "LIMITS")
    if zone is not None:
        time_zone(zone, "--zone")
    with open_kept_accounts(FIELDS) as accounts:
        before = accounts.require_account("NAME", name)
        accounts.ledger.set_limits(name, by_period, zone=zone)
        note = f"{name} had {format_limits(before.limits)}."
        show_accounts(accounts, name, as_json=as_json, note=note)
