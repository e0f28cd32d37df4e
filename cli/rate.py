"""`thrifty rate`: says how good results were, so that later runs plan by it."""

import click

from thrifty.budget import InvalidInput
from thrifty.budget.plain_text import single_line
from thrifty.cli.bill_history import BILLS_FILE, open_bills, read_bills
from thrifty.cli.run_argument import RUN_ARGUMENT_HELP, complete_run_name
from thrifty.cli.saved_runs import RunsFolder, SavedRun
from thrifty.cli.view.screen import Screen
from thrifty.estimates.history import BillHistory, hash_name
from thrifty.estimates.history import rate as keep_ratings
from thrifty.estimates.runs_to_rate import runs_to_rate
from thrifty.settings import home_folder

NOTHING_TEXT = "No result that has passed a check waits for a rating."


@click.command(
    epilog="""\b
Examples:
  thrifty rate                            lists a few results to rate
  thrifty rate last Answer=1 Risks=0
  thrifty rate 20261124-101500-af24 'Answer (cheap)=0.5'

A rating goes from 0 for wrong to 1 for right. Name a step for the text that it has in the end, or
an option for what that has left. Ratings change what later runs plan, never what they may spend.
""",
    help=f"Rate the results of a run.\n\n{RUN_ARGUMENT_HELP}",
)
@click.argument("name", metavar="[RUN]", required=False, shell_complete=complete_run_name)
@click.argument("ratings", nargs=-1, metavar="[STEP=RATING]...")
def rate(name: str | None, ratings: tuple[str, ...]) -> None:
    home, screen = RunsFolder.of_user(), Screen.of()
    if name is None:
        screen.result.print(_list_to_rate(home), markup=False)
        return
    if not ratings:
        raise click.UsageError("Say how good a result was, such as Answer=1.")
    given = dict(map(_read_rating, ratings))
    count = _save(home.find_run(name), given)
    screen.notes.print(f"Rated {count:,} result{'' if count == 1 else 's'}.")


def _read_rating(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        rating = float(number)
    except ValueError:
        rating = -1.0
    if not name or not 0.0 <= rating <= 1.0:
        raise InvalidInput("STEP=RATING", text, "write a step and 0 to 1, such as Answer=1")
    return name, rating


def _save(run: SavedRun, given: dict[str, float]) -> int:
    run_id, history = _receipt_id(run), read_bills()
    if history.remark:
        raise InvalidInput(
            BILLS_FILE, str(home_folder() / BILLS_FILE), f"delete it; {history.remark}"
        )
    known = _rated_names(history, run_id)
    for name in given:
        if name not in known:
            remedy = f"use one of: {', '.join(sorted(known))}" if known else "it has left no bills"
            raise InvalidInput("STEP", name, remedy)
    with open_bills(home_folder()) as store:
        return keep_ratings(store, run_id, given) if store else 0


def _rated_names(history: BillHistory, run_id: str) -> set[str]:
    run = hash_name(run_id)
    return {
        name
        for work, records in history.records.items()
        for record in records
        if record.run == run
        for name in (record.step, work.option)
        if name
    }


def _receipt_id(run: SavedRun) -> str:
    receipt = run.load_result().get("receipt")
    run_id = receipt.get("run_id") if isinstance(receipt, dict) else None
    if not isinstance(run_id, str):
        raise InvalidInput("RUN", run.id, "it has not ended; only results of ended runs are rated")
    return run_id


def _list_to_rate(home: RunsFolder) -> str:
    names = {}
    for run in home.runs():
        try:
            names[_receipt_id(run)] = run.id
        except InvalidInput:  # damaged, or without a result
            continue
    found = runs_to_rate(read_bills(), names)
    lines = (
        f"{names[r.run_id]}  {single_line(r.step)}  passed {single_line(r.check)!r}" for r in found
    )
    return "\n".join(lines) or NOTHING_TEXT
