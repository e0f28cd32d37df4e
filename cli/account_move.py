"""`thrifty account move`: puts an account under another one."""

import click

from thrifty.cli.kept_accounts import account_argument, complete_account_name, open_kept_accounts
from thrifty.cli.shared_options import flag_option, json_option
from thrifty.cli.view.account_page import show_accounts

FIELDS = {"account": "NAME", "parent": "PARENT"}


@click.command(
    epilog="""\b
Examples:
  thrifty account move me team
  thrifty account move me --to-top

What was spent so far stays on the accounts on which it was booked. What is spent from now
on is booked on the new ones.
"""
)
@account_argument
@click.argument("parent", metavar="[PARENT]", required=False, shell_complete=complete_account_name)
@flag_option("--to-top", help="Under no other account.")
@json_option
def move(name: str, parent: str | None, to_top: bool, as_json: bool) -> None:
    """Put an account, with all below it, under another one."""
    if (parent is None) != to_top:
        raise click.UsageError("Name the PARENT, or say --to-top.")
    with open_kept_accounts(FIELDS) as accounts:
        before = accounts.require_account("NAME", name).parent
        if parent is not None:
            accounts.require_account("PARENT", parent)
        accounts.ledger.move(name, parent)
        where = f"under {before}" if before else "under no other account"
        show_accounts(accounts, name, as_json=as_json, note=f"Moved {name}, which was {where}.")
