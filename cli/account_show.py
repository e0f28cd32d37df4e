"""`thrifty account show`: what accounts have spent and have left."""

import click

from thrifty.cli.kept_accounts import complete_account_name, open_kept_accounts
from thrifty.cli.shared_options import json_option
from thrifty.cli.view.account_page import show_accounts


@click.command(
    epilog="""\b
Examples:
  thrifty account show
  thrifty account show me
  thrifty account show me --json | jq .accounts

A limit shows what was spent in its current window, what is left, and when the next window
begins. What is reserved for calls under way is not left.
"""
)
@click.argument("name", metavar="[NAME]", required=False, shell_complete=complete_account_name)
@json_option
def show(name: str | None, as_json: bool) -> None:
    """Show what accounts have spent and have left.

    With a NAME: that account, those above it, whose limits hold as well, and those below it.
    """
    with open_kept_accounts() as accounts:
        if name is not None:
            accounts.require_account("NAME", name)
        show_accounts(accounts, name, as_json=as_json)
