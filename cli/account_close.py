"""`thrifty account close`: ends the spending of an account."""

import click

from thrifty.cli.kept_accounts import account_argument, open_kept_accounts
from thrifty.cli.shared_options import json_option
from thrifty.cli.view.account_page import show_accounts


@click.command(
    epilog="""\b
Example:
  thrifty account close me

Nothing is deleted: `thrifty spend` goes on counting what it has spent, and calls that are
under way are settled. A closed account cannot be opened again.
"""
)
@account_argument
@json_option
def close(name: str, as_json: bool) -> None:
    """Close an account for good.

    No call is made there, or below it, any more.
    """
    with open_kept_accounts({"account": "NAME"}) as accounts:
        was_closed = accounts.require_account("NAME", name).is_closed
        accounts.ledger.close(name)
        note = f"{name} was closed already." if was_closed else f"Closed {name}."
        show_accounts(accounts, name, as_json=as_json, note=note)
