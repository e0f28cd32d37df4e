"""The command `thrifty`."""

from importlib.metadata import version

import click

from thrifty.cli.edge import EdgeGroup, debug_option
from thrifty.cli.limits import ENVIRONMENT
from thrifty.cli.options import options
from thrifty.cli.plan import plan
from thrifty.cli.run import run

EPILOG = f"""\b
Examples:
  thrifty run "Draft a project proposal" --max-tokens 2200 --max-tool-calls 2
  thrifty plan @brief.md --max-cost-usd 0.05
  thrifty options --yaml > my.yaml

{ENVIRONMENT}
"""


@click.group(
    cls=EdgeGroup,
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(version("thrifty"), message="%(prog)s %(version)s")
@debug_option
@click.pass_context
def thrifty(ctx: click.Context) -> None:
    """Get the most done inside a hard budget, and never spend more than that."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


thrifty.add_command(run)
thrifty.add_command(plan)
thrifty.add_command(options)


def main() -> None:
    """What the installed script calls."""
    thrifty.main(prog_name="thrifty")
