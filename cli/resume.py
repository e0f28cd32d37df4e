"""`thrifty resume`: lets a run go on that was interrupted, that waits, or that had ended."""

from typing import Any

import click

from thrifty.budget.limits import BUDGET_FIELDS
from thrifty.cli.answers import answer_from_options
from thrifty.cli.exit_codes import EXIT_CODES_HELP
from thrifty.cli.run_argument import RUN_ARGUMENT_HELP, run_argument
from thrifty.cli.run_driver import open_run_driver
from thrifty.cli.saved_runs import RunsFolder
from thrifty.cli.shared_options import (
    flag_option,
    float_option,
    int_option,
    json_option,
    output_options,
)
from thrifty.cli.view.run_output import RunOutput


@click.command(
    epilog=f"""\b
Examples:
  thrifty resume                               the last run, from where it was cut off
  thrifty resume 20261124 --max-tokens 6000    with a raised budget
  thrifty resume last --go                     carries out the plan that was shown
  thrifty resume last --leave-out Timeline
  thrifty resume last --input '{{"to": "Bob"}}'  calls what it asks about, for Bob

A run that waits says which answers it takes. At a terminal you are asked.
What is done is neither billed nor done again. A call whose answer was lost is on the bill.

{EXIT_CODES_HELP}
""",
    help=f"Let a run go on.\n\n{RUN_ARGUMENT_HELP}",
)
@run_argument
@int_option("--max-tokens", help="The new limit, spent tokens included.")
@float_option("--max-cost-usd", help="As above, in dollars.")
@int_option("--max-latency-ms", help="As above, active time.")
@int_option("--max-tool-calls", help="As above, calls.")
@click.option("--leave-out", multiple=True, metavar="STEP", help="A step that is not to be done.")
@flag_option("--go", help="Answer: go on as it is; call what is to be approved.")
@flag_option("--finish", help="Answer: finish with what there is.")
@click.option("--input", metavar="TEXT", help="Answer: call it with this input instead.")
@click.option("--done", metavar="TEXT", help="Answer: the call has happened; what came of it.")
@flag_option("--again", help="Answer: make the call once more.")
@click.option("--answer", metavar="TEXT", help="Answer to what an executor of yours asks.")
@output_options
@json_option
def resume(**given: Any) -> int:
    limits = {name: given[name] for name in BUDGET_FIELDS if given[name] is not None}
    said = answer_from_options(given, limits)
    home = RunsFolder.of_user()
    saved = home.find_run(given["name"])
    request = saved.load_request()
    output = RunOutput.of(given)
    output.screen.notes.print(f"Run {saved.id}: {request.budget_line}")
    with open_run_driver(request, output, home, saved) as driver:
        return driver.resume(said)
