"""`thrifty runs` and `thrifty show`: the runs that were kept, and what one of them brought."""

import json
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from thrifty.budget import Spend
from thrifty.budget.plain_text import single_line
from thrifty.cli.error_reporting import debug_option
from thrifty.cli.run_argument import RUN_ARGUMENT_HELP, run_argument
from thrifty.cli.saved_runs import RunsFolder, SavedRun
from thrifty.cli.view.run_output import RunOutput
from thrifty.cli.view.screen import Screen
from thrifty.receipt import wording

STATUS_STYLES = {"done": "green", "running": "cyan", "waiting": "cyan"}
TASK_LENGTH_SHOWN = 60


@click.command()
@click.option("--limit", "-n", default=20, show_default=True, metavar="N", help="The newest N.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@debug_option
def runs(limit: int, as_json: bool) -> None:
    """List the runs that were kept on this machine, the newest first."""
    home = RunsFolder.of_user()
    rows = [_run_data(home, run) for run in home.runs()[: max(0, limit)]]
    if as_json:
        click.echo(json.dumps({"home": str(home.path), "runs": rows}, indent=2))
        return
    screen = Screen.of(as_json=False)
    if not rows:
        screen.result.print('No run was kept yet; start one with `thrifty run "…"`.')
        return
    table = Table(box=box.SIMPLE_HEAD)
    for header in ("run", "status", "spent", "task"):
        table.add_column(header, overflow="fold", no_wrap=header in ("run", "status"))
    for row in rows:
        spent = wording.describe_spend(Spend.from_state(row["spend"])) if row["spend"] else ""
        status = Text(row["status"], style=STATUS_STYLES.get(row["status"], "yellow"))
        table.add_row(row["run"], status, spent, Text(single_line(row["task"])[:TASK_LENGTH_SHOWN]))
    screen.result.print(table)


def _run_data(home: RunsFolder, run: SavedRun) -> dict[str, Any]:
    status = home.run_status(run)
    known = {} if status == "damaged" else run.load_result()
    spend = known.get("spend") or known.get("question", {}).get("spent")
    return {"run": run.id, "status": status, "spend": spend, "task": run.task}


@click.command(help=f"Show a run's draft and receipt, or what it waits for.\n\n{RUN_ARGUMENT_HELP}")
@run_argument
@click.option("--quiet", "-q", is_flag=True, help="The draft alone.")
@click.option("--output", "-o", metavar="FILE", help="Write the draft to a file instead.")
@click.option("--html", metavar="FILE", help="Write the receipt, with the draft, as a web page.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@debug_option
def show(**given: Any) -> None:
    home = RunsFolder.of_user()
    run = home.find_run(given["name"])
    known, result = run.load_result(), RunOutput.of(given)
    if "receipt" in known:
        result.show_result(known)
    elif "question" in known:
        result.show_waiting(known["question"], run.id)
    elif given["as_json"]:
        click.echo(json.dumps({"run": run.id, "status": home.run_status(run)}, indent=2))
    else:
        result.screen.result.print(f"Run {run.id} is {home.run_status(run)}; nothing is there yet.")
