"""`thrifty account limit`: gives an account other limits."""

import click

from thrifty.budget.periods import time_zone
from thrifty.cli.account_limits import describe_change, limits_argument, read_limits
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
@limits_argument
@zone_option
@json_option
def limit(name: str, limits: tuple[str, ...], zone: str | None, as_json: bool) -> None:
    """Give an account other limits."""
    by_period = read_limits(limits)
    if zone is not None:
        time_zone(zone, "--zone")
    with open_kept_accounts(FIELDS) as accounts:
        before = accounts.require_account("NAME", name)
        accounts.ledger.set_limits(name, by_period, zone=zone)
        show_accounts(accounts, name, as_json=as_json, note=describe_change(before))
