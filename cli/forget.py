"""`thrifty forget`: deletes kept runs; what they cost stays in the ledger."""

import json
import time
from collections.abc import Iterator

import click

from thrifty.budget import InvalidInput
from thrifty.cli.error_reporting import debug_option
from thrifty.cli.run_argument import RUN_ARGUMENT_HELP, complete_run_name
from thrifty.cli.saved_runs import RunsFolder, SavedRun
from thrifty.cli.view.screen import Screen

DAY_S = 86_400
ENDED_STATUSES = ("done", "halted")

EPILOG = """\b
Examples:
  thrifty forget last
  thrifty forget 20261124-101500-af24 20261124-101800-29d4
  thrifty forget --older-than 30          shows what would go
  thrifty forget --older-than 30 --yes

Drafts, receipts and checkpoints are deleted, so that a run that was cut off cannot be
resumed. The ledger keeps what was spent, and what was learned from the bills stays.
"""


@click.command(epilog=EPILOG, help=f"Delete kept runs from this machine.\n\n{RUN_ARGUMENT_HELP}")
@click.argument("names", nargs=-1, metavar="[RUN]...", shell_complete=complete_run_name)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="All that ended at least so long ago; those that can go on are kept.",
)
@click.option("--yes", "-y", is_flag=True, help="With --older-than: delete them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@debug_option
def forget(names: tuple[str, ...], older_than: float | None, yes: bool, as_json: bool) -> None:
    if bool(names) == (older_than is not None):
        raise click.UsageError("Name the runs, or say --older-than DAYS.")
    home = RunsFolder.of_user()
    going = _find_named(home, names) if older_than is None else list(_find_ended(home, older_than))
    is_done = yes or older_than is None
    size = sum(run.size for run in going)
    if is_done:
        for run in going:
            run.delete()
    if as_json:
        told = {"runs": [run.id for run in going], "bytes": size, "deleted": is_done}
        click.echo(json.dumps(told, indent=2))
        return
    screen = Screen.of(as_json=False)
    for run in going:
        screen.result.print(run.id)
    what = f"{len(going):,} run{'' if len(going) == 1 else 's'}, {size / 1e6:,.1f} MB"
    screen.notes.print(f"Deleted {what}." if is_done else f"{what}: --yes deletes them.")


def _find_named(home: RunsFolder, names: tuple[str, ...]) -> list[SavedRun]:
    """The runs of these names, each once.

    Raises:
        InvalidInput: there is no such run, or it is at work.
    """
    found = list(dict.fromkeys(home.find_run(name) for name in names))
    for run in found:
        if home.run_status(run) == "running":
            raise InvalidInput("RUN", run.id, "it is at work; stop it first")
    return found


def _find_ended(home: RunsFolder, days: float) -> Iterator[SavedRun]:
    latest = time.time() - days * DAY_S
    for run in home.runs():
        if run.changed_at <= latest and home.run_status(run) in ENDED_STATUSES:
            yield run
