"""`thrifty run`: does the task within the budget, and says what it does."""

from typing import Any

import click

from thrifty.budget import InvalidInput
from thrifty.cli.exit_codes import EXIT_CODES_HELP
from thrifty.cli.kept_accounts import complete_account_name, find_left
from thrifty.cli.read_request import read_request
from thrifty.cli.run_driver import open_run_driver
from thrifty.cli.saved_runs import RunsFolder
from thrifty.cli.shared_options import ENVIRONMENT_HELP, flag_option, output_options, task_options
from thrifty.cli.view.run_output import RunOutput
from thrifty.cli.view.screen import account_line, opening_lines


@click.command(
    epilog=f"""\b
Examples:
  thrifty run "Write a short poem about the sea" --budget "2k tokens, 2 calls"
  thrifty run "Draft a project proposal" --offline --output proposal.md
  thrifty run "What do we pay for vans?" --document prices.csv --max-cost-usd 0.05
  echo "Name five kinds of tea" | thrifty run - --json | jq .receipt.spent
  thrifty run "Name five kinds of tea" --base-url http://localhost:11434/v1 --models llama3
  thrifty run @brief.md --account me

At a terminal all is shown there. In a pipe, standard output gets the answer and the
receipt (--quiet: the answer alone; --json: one object), and standard error the rest.

{EXIT_CODES_HELP}

{ENVIRONMENT_HELP}
"""
)
@task_options
@output_options
@flag_option("--approve-plan", default=None, help="Ask before the plan is carried out.")
@flag_option("--no-save", help="Keep nothing of the run on this machine.")
@click.option(
    "--account",
    metavar="NAME",
    shell_complete=complete_account_name,
    help="Charge the run to this account too; see `thrifty account --help`.",
)
def run(**given: Any) -> int:
    """Do a task within a budget.

    TASK is the text of the task, - for standard input, or @FILE. The best of your models that
    the budget holds answers it. A task that asks for a project proposal or plan follows the
    recipe `proposal`, which local code can do without a model.

    Without any limit the default budget holds: 8,000 tokens, 60 seconds and 8 calls.

    A run is kept, so that it can be resumed after a Ctrl-C, a crash or a question.
    """
    request = read_request(given)
    output = RunOutput.of(given)
    if request.account and given["no_save"]:
        raise InvalidInput("--account", request.account, "leave out --no-save: it is written down")
    home = None if given["no_save"] else RunsFolder.of_user()
    if request.account:
        left = find_left("--account", request.account)
        output.screen.notes.print(account_line(request.account, left))
    for line in opening_lines(request):
        output.screen.notes.print(line)
    with open_run_driver(request, output, home) as driver:
        return driver.start()
