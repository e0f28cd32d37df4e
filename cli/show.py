"""`thrifty show`: what a kept run brought, or what it waits for."""

from typing import Any

import click

from thrifty.cli.run_argument import RUN_ARGUMENT_HELP, run_argument
from thrifty.cli.saved_runs import RunsFolder
from thrifty.cli.shared_options import json_option, output_options
from thrifty.cli.view.run_output import RunOutput
from thrifty.cli.view.screen import print_json


@click.command(
    help=f"Show a run's answer and receipt, or what it waits for.\n\n{RUN_ARGUMENT_HELP}"
)
@run_argument
@output_options
@json_option
def show(**given: Any) -> None:
    home = RunsFolder.of_user()
    run = home.find_run(given["name"])
    values, output = run.load_result(), RunOutput.of(given)
    if "receipt" in values:
        output.show_result(values)
    elif "question" in values:
        output.show_waiting(values["question"], run.id)
    elif given["as_json"]:
        print_json({"run": run.id, "status": home.run_status(run)})
    else:
        output.screen.result.print(f"Run {run.id} is {home.run_status(run)}; nothing is there yet.")
