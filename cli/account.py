"""`thrifty account`: accounts with limits, which runs can be charged to."""

import click

from thrifty.cli.account_close import close
from thrifty.cli.account_limit import limit
from thrifty.cli.account_move import move
from thrifty.cli.account_open import open_
from thrifty.cli.account_show import show
from thrifty.cli.error_reporting import debug_option


@click.group(
    epilog="""\b
Examples:
  thrifty account open team '$100 a month'
  thrifty account open me '$5 a day, 100k tokens a minute' --parent team
  thrifty run "Draft a project plan for a tea party" --account me
  thrifty account show
  thrifty spend --by day --account me
""",
    invoke_without_command=True,
)
@click.pass_context
def account(ctx: click.Context) -> None:
    """Open, show, limit, move and close accounts.

    An account's limits are ceilings for it, for the accounts below it, and for the runs that
    are charged to them. A call has to fit in all of them. Nothing is set aside.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for each in (open_, show, limit, move, close):
    account.add_command(debug_option(each))
