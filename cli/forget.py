"""`thrifty forget`: deletes kept runs; what they cost stays in the ledger."""

import time

import click

from thrifty.budget import InvalidInput
from thrifty.cli.run_argument import RUN_ARGUMENT_HELP, complete_run_name
from thrifty.cli.saved_runs import RunsFolder, SavedRun
from thrifty.cli.shared_options import flag_option, json_option
from thrifty.cli.view.screen import Screen, print_json

DAY_S = 86_400
ENDED_STATUSES = ("done", "halted")


@click.command(
    epilog="""\b
Examples:
  thrifty forget last
  thrifty forget 20261124-101500-af24 20261124-101800-29d4
  thrifty forget --older-than 30          shows what would go
  thrifty forget --older-than 30 --yes

Answers, receipts and checkpoints are deleted, so that a run that was cut off cannot be
resumed. The ledger keeps what was spent, and what was learned from the bills stays.
""",
    help=f"Delete kept runs from this machine.\n\n{RUN_ARGUMENT_HELP}",
)
@click.argument("names", nargs=-1, metavar="[RUN]...", shell_complete=complete_run_name)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="All that ended at least so long ago; those that can go on are kept.",
)
@flag_option("--yes", "-y", help="With --older-than: delete them.")
@json_option
def forget(names: tuple[str, ...], older_than: float | None, yes: bool, as_json: bool) -> None:
    if bool(names) == (older_than is not None):
        raise click.UsageError("Name the runs, or say --older-than DAYS.")
    home = RunsFolder.of_user()
    chosen = _find_named(home, names) if older_than is None else _find_ended(home, older_than)
    is_sure = yes or older_than is None
    size = sum(run.size for run in chosen)
    if is_sure:
        for run in chosen:
            run.delete()
    if as_json:
        print_json({"runs": [run.id for run in chosen], "bytes": size, "deleted": is_sure})
        return
    screen = Screen.of()
    for run in chosen:
        screen.result.print(run.id)
    what = f"{len(chosen):,} run{'' if len(chosen) == 1 else 's'}, {size / 1e6:,.1f} MB"
    screen.notes.print(f"Deleted {what}." if is_sure else f"{what}: --yes deletes them.")


def _find_named(home: RunsFolder, names: tuple[str, ...]) -> list[SavedRun]:
    """The runs of these names, each once.

    Raises:
        InvalidInput: there is no such run, or it is at work.
    """
    runs = list(dict.fromkeys(map(home.find_run, names)))
    for run in runs:
        if home.run_status(run) == "running":
            raise InvalidInput("RUN", run.id, "it is at work; stop it first")
    return runs


def _find_ended(home: RunsFolder, days: float) -> list[SavedRun]:
    latest = time.time() - days * DAY_S
    old = [run for run in home.runs() if run.changed_at <= latest]
    return [run for run in old if home.run_status(run) in ENDED_STATUSES]
