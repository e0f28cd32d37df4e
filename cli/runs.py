"""`thrifty runs`: the runs that were kept on this machine."""

from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from thrifty.budget import Spend
from thrifty.budget.plain_text import single_line
from thrifty.cli.saved_runs import RunsFolder, SavedRun
from thrifty.cli.shared_options import json_option
from thrifty.cli.view.screen import Screen, print_json
from thrifty.receipt import wording

RUN_STATUS_STYLES = {"done": "green", "running": "cyan", "waiting": "cyan"}
TASK_LENGTH_SHOWN = 60


@click.command()
@click.option("--limit", "-n", default=20, show_default=True, metavar="N", help="The newest N.")
@json_option
def runs(limit: int, as_json: bool) -> None:
    """List the runs that were kept on this machine, the newest first."""
    home = RunsFolder.of_user()
    rows = [_run_data(home, run) for run in home.runs()[: max(0, limit)]]
    if as_json:
        print_json({"home": str(home.path), "runs": rows})
        return
    result = Screen.of().result
    if not rows:
        result.print('No run was kept yet; start one with `thrifty run "…"`.')
        return
    table = Table(box=box.SIMPLE_HEAD)
    for header in ("run", "status", "spent", "task"):
        table.add_column(header, overflow="fold", no_wrap=header in ("run", "status"))
    for row in rows:
        spent = wording.describe_spend(Spend.from_state(row["spend"])) if row["spend"] else ""
        status = Text(row["status"], style=RUN_STATUS_STYLES.get(row["status"], "yellow"))
        task = Text(single_line(row["task"])[:TASK_LENGTH_SHOWN])
        table.add_row(row["run"], status, spent, task)
    result.print(table)


def _run_data(home: RunsFolder, run: SavedRun) -> dict[str, Any]:
    status = home.run_status(run)
    result = {} if status == "damaged" else run.load_result()
    return {"run": run.id, "status": status, "spend": result.get("spend"), "task": run.task}
