"""`thrifty estimates`: what earlier runs came to, and what is expected of later ones for it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import click
from rich.table import Table
from rich.text import Text

from thrifty.budget import InvalidInput, Step, StepOption
from thrifty.budget.plain_text import single_line
from thrifty.cli.bill_history import BILLS_FILE, read_bills
from thrifty.cli.recipe_argument import own_recipe_option, read_recipe_to_show
from thrifty.cli.shared_options import json_option
from thrifty.cli.view.odds_tables import odds_data, odds_tables
from thrifty.cli.view.screen import Screen, print_json
from thrifty.estimates.history import BilledOption, BillHistory
from thrifty.estimates.learned import learn_from_history
from thrifty.estimates.learned_odds import LearnedOdds, learn_odds
from thrifty.executors.registry import LLM
from thrifty.options.chances import chance_right, worth_when_right
from thrifty.planning.check_odds import SENSITIVITY, SPECIFICITY
from thrifty.receipt.terminal import make_table
from thrifty.settings import home_folder
from thrifty.steering.forecast import ExecutorModel, Forecaster

USUAL_STRENGTH = SENSITIVITY, SPECIFICITY
NO_BILLS_TEXT = "No bills of this recipe's options yet: its estimates count as they are."


class EstimateRow(NamedTuple):
    """An option with bills, whose estimate they have changed."""

    work: BilledOption
    bills: int
    declared: StepOption
    expected: StepOption


@click.command(
    epilog=f"""\b
Examples:
  thrifty estimates
  thrifty estimates --recipe my.yaml --json

Bills are kept in {BILLS_FILE}, beside the runs; delete it to begin anew. `thrifty run --no-learn`
neither reads nor adds any. Estimates steer a run; what it may spend does not rest on them.
"""
)
@own_recipe_option
@json_option
def estimates(recipe: str | None, as_json: bool) -> None:
    """Show what is expected of options after what runs have paid, and what ratings have taught."""
    history = read_bills()
    if history.remark:
        file = str(home_folder() / BILLS_FILE)
        raise InvalidInput(BILLS_FILE, file, f"delete it; {history.remark}")
    steps = {step.name: step for step in read_recipe_to_show(recipe).steps}
    rows = list(_estimate_rows(history, steps))
    odds = learn_odds(history)
    if as_json:
        print_json({"estimates": [_row_data(row) for row in rows], **odds_data(odds)})
        return
    screen = Screen.of().result
    screen.print(_table(rows) if rows else NO_BILLS_TEXT)
    for table in odds_tables(odds):
        screen.print()
        screen.print(table)


def _estimate_rows(history: BillHistory, steps: dict[str, Step]) -> Iterator[EstimateRow]:
    known = {option.name: option for step in steps.values() for option in step.options}
    for work, records in history.records.items():
        option, model_used = known.get(work.option), work.executor_model
        if option is None or option.executor != model_used.executor:
            continue

        # A run with another model would learn other things: each row is of its own model.
        def executor_model(each: StepOption, model: str = model_used.model) -> ExecutorModel:
            return ExecutorModel(each.executor, model if each.executor == LLM else "")

        learned = learn_from_history(history, known.values(), executor_model)
        rated = _with_ratings(option, steps[option.step], learned.odds, model_used)
        expected = Forecaster(learned.summaries).forecast_option(rated, model_used)
        if expected != option:
            yield EstimateRow(work, len(records), option, expected)


def _with_ratings(
    option: StepOption, step: Step, odds: LearnedOdds, who: ExecutorModel
) -> StepOption:
    worth = worth_when_right(step)
    prior = chance_right(option, worth)
    chance = odds.chance(who, step.kind, prior, step.check, USUAL_STRENGTH)
    return option if chance == prior else replace(option, value=worth * chance, quality=chance)


def _table(rows: list[EstimateRow]) -> Table:
    table = make_table(("Option", "by"), ("bills", "tokens", "ms", "spread", "value"))
    for row in rows:
        before, after = row.declared, row.expected
        table.add_row(
            Text(single_line(row.work.option)),
            Text(single_line(str(row.work.executor_model))),
            f"{row.bills:,}",
            f"{before.estimate.tokens:,} → {after.estimate.tokens:,}",
            f"{before.estimate.latency_ms:,} → {after.estimate.latency_ms:,}",
            f"{before.spread:.2f} → {after.spread:.2f}",
            f"{before.value:.1f} → {after.value:.1f}",
        )
    return table


def _row_data(row: EstimateRow) -> dict[str, Any]:
    return {
        "option": row.work.option,
        "executor": row.work.executor_model.executor,
        "model": row.work.executor_model.model,
        "bills": row.bills,
        "declared": _estimate_data(row.declared),
        "expected": _estimate_data(row.expected),
    }


def _estimate_data(option: StepOption) -> dict[str, Any]:
    return {**option.estimate.to_state(), "spread": option.spread, "value": option.value}
