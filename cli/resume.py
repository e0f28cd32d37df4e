"""`thrifty resume`: lets a run go on that was interrupted, that waits, or that had ended."""

from typing import Any

import click

from thrifty.budget import InvalidInput
from thrifty.budget.limits import BUDGET_FIELDS
from thrifty.cli.error_reporting import debug_option
from thrifty.cli.exit_codes import EXIT_CODES_HELP
from thrifty.cli.run_argument import RUN_ARGUMENT_HELP, run_argument
from thrifty.cli.run_driver import open_run_driver
from thrifty.cli.saved_runs import RunsFolder
from thrifty.cli.shared_options import float_or_text, int_or_text
from thrifty.cli.view.run_output import RunOutput

EPILOG = f"""\b
Examples:
  thrifty resume                               the last run, from where it was cut off
  thrifty resume 20261124 --max-tokens 6000    with a raised budget
  thrifty resume last --go                     carries out the plan that was shown
  thrifty resume last --leave-out Timeline

What is done is neither billed nor done again. A call whose answer was lost is on the bill.

{EXIT_CODES_HELP}
"""


@click.command(epilog=EPILOG, help=f"Let a run go on.\n\n{RUN_ARGUMENT_HELP}")
@run_argument
@click.option(
    "--max-tokens", type=int_or_text, metavar="N", help="The new limit, spent tokens included."
)
@click.option("--max-cost-usd", type=float_or_text, metavar="X", help="As above, in dollars.")
@click.option("--max-latency-ms", type=int_or_text, metavar="N", help="As above, active time.")
@click.option("--max-tool-calls", type=int_or_text, metavar="N", help="As above, calls.")
@click.option("--leave-out", multiple=True, metavar="STEP", help="A step that is not to be done.")
@click.option("--go", is_flag=True, help="Answer: go on, with the budget as it is.")
@click.option("--finish", is_flag=True, help="Answer: finish with what there is.")
@click.option("--quiet", "-q", is_flag=True, help="The draft alone.")
@click.option("--output", "-o", metavar="FILE", help="Write the draft to a file instead.")
@click.option("--html", metavar="FILE", help="Write the receipt, with the draft, as a web page.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@debug_option
def resume(**given: Any) -> int:
    answer = _read_answer(given)
    home = RunsFolder.of_user()
    saved = home.find_run(given["name"])
    request = saved.load_request()
    result = RunOutput.of(given)
    result.screen.notes.print(f"Run {saved.id}: {request.budget_line}")
    with open_run_driver(request, result, home, saved) as drive:
        return drive.resume(answer)


def _read_answer(given: dict[str, Any]) -> object:
    """What the options answer; None for nothing in particular.

    Raises:
        InvalidInput: they say more than one thing.
    """
    limits = {name: given[name] for name in BUDGET_FIELDS if given[name] is not None}
    said: dict[str, Any] = {"budget": limits} if limits else {}
    if given["leave_out"]:
        said["leave_out"] = list(given["leave_out"])
    answers = [*([said] if said else []), *(name for name in ("go", "finish") if given[name])]
    if len(answers) > 1:
        raise InvalidInput("answer", answers, "use one of --go, --finish, or what is to change")
    return answers[0] if answers else None
