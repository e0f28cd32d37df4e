"""`thrifty account open`: opens an account with limits."""

import click

from thrifty.budget import InvalidInput
from thrifty.budget.periods import LIMITS_EXAMPLE, time_zone
from thrifty.cli.account_limits import describe_change, limits_argument, read_limits
from thrifty.cli.kept_accounts import (
    complete_account_name,
    is_run,
    open_kept_accounts,
    zone_option,
)
from thrifty.cli.shared_options import json_option
from thrifty.cli.view.account_page import show_accounts
from thrifty.run.identity import RUN_KIND

FIELDS = {"account": "NAME", "parent": "--parent", "zone": "--zone"}


@click.command(
    "open",
    epilog=f"""\b
Examples:
  thrifty account open team '$100 a month'
  thrifty account open me '{LIMITS_EXAMPLE}' --parent team
  thrifty account open paris '20 calls an hour, $5 a day' --zone Europe/Paris
  thrifty account open trial '2k tokens, 5 calls'
  thrifty account open all 'no limit'

\b
LIMITS are a number, a unit and a period each, with a comma between them:
  units    tokens, $, calls; k and m for thousands and millions
  periods  a minute, an hour, a day, a month; without any, it is in all
Put them in single quotes, else your shell takes $5 for a variable of its own.

Days and months begin at midnight in the account's time zone, which is that of the account
above it, or UTC. Hours are those of UTC, and a minute is any sixty seconds.
""",
)
@click.argument("name", metavar="NAME")
@limits_argument
@click.option(
    "--parent",
    metavar="NAME",
    shell_complete=complete_account_name,
    help="The account above it, whose limits hold as well.",
)
@zone_option
@json_option
def open_(
    name: str, limits: tuple[str, ...], parent: str | None, zone: str | None, as_json: bool
) -> None:
    """Open an account.

    An account that is open already gets these limits in place of its own.
    """
    if is_run(name):
        raise InvalidInput("NAME", name, f"begin it otherwise: {RUN_KIND} is for runs")
    by_period = read_limits(limits)
    if zone is not None:
        time_zone(zone, "--zone")
    with open_kept_accounts(FIELDS) as accounts:
        if parent is not None:
            accounts.require_account("--parent", parent)
        before = accounts.infos.get(name)
        note = describe_change(before) if before else f"Opened {name}."
        accounts.ledger.open(name, by_period, parent=parent, zone=zone)
        show_accounts(accounts, name, as_json=as_json, note=note)
