"""The command `thrifty`."""

import click

from thrifty.cli.account import account
from thrifty.cli.doctor import doctor
from thrifty.cli.error_reporting import ErrorReportingGroup, debug_option
from thrifty.cli.estimates import estimates
from thrifty.cli.forget import forget
from thrifty.cli.frontier import frontier
from thrifty.cli.options import options
from thrifty.cli.plan import plan
from thrifty.cli.rate import rate
from thrifty.cli.receipt import receipt
from thrifty.cli.resume import resume
from thrifty.cli.run import run
from thrifty.cli.runs import runs
from thrifty.cli.shared_options import ENVIRONMENT_HELP
from thrifty.cli.show import show
from thrifty.cli.spend import spend


@click.group(
    cls=ErrorReportingGroup,
    epilog=f"""\b
Examples:
  thrifty run "Write a short poem about the sea" --budget "2k tokens, 2 calls"
  thrifty run "Draft a project proposal" --offline
  thrifty plan @brief.md --budget "2k tokens, 5s, $0.02, 2 calls"
  thrifty frontier @brief.md --budget "$0.02" --plot value.svg
  thrifty options --yaml > my.yaml
  thrifty resume last --max-tokens 6000
  thrifty account open me '$5 a day, 100k tokens a minute'
  thrifty doctor

\b
Completion in the shell:
  bash  eval "$(_THRIFTY_COMPLETE=bash_source thrifty)"
  zsh   eval "$(_THRIFTY_COMPLETE=zsh_source thrifty)"
  fish  _THRIFTY_COMPLETE=fish_source thrifty | source

{ENVIRONMENT_HELP}
""",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(package_name="thrifty", message="%(prog)s %(version)s")
@debug_option
@click.pass_context
def thrifty(ctx: click.Context) -> None:
    """Do any task inside a hard budget, and never spend more than that."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


COMMANDS = (
    *(run, plan, frontier, options, estimates, rate, runs, show, resume, forget, receipt),
    *(account, spend, doctor),
)
for each in COMMANDS:
    thrifty.add_command(debug_option(each))


def main() -> None:
    """What the installed script calls."""
    thrifty.main(prog_name="thrifty")
