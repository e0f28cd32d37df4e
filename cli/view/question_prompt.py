"""Asks the person at the terminal what a run wants to know."""

from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from thrifty.budget import Spend
from thrifty.budget.plain_text import single_line
from thrifty.budget.resources import format_amounts
from thrifty.cli.view.screen import Screen
from thrifty.receipt import wording

FINISH, GO, RAISE = "finish", "go", "raise"


def ask_person(question: Mapping[str, Any], screen: Screen) -> object:
    """What the person answers; None where nobody is at the terminal."""
    if not screen.is_interactive:
        return None
    for line in question_lines(question):
        screen.notes.print(line)
    choices = [GO, *([RAISE] if question["buys"] else []), FINISH]
    chosen = click.prompt("Answer", type=click.Choice(choices), default=choices[-2])
    if chosen == RAISE:
        return {"budget": question["buys"]["budget"]}
    return chosen


def question_lines(question: Mapping[str, Any]) -> list[Text]:
    """A question in a few lines."""
    lines = [Text.assemble(("? ", "cyan"), (question["question"], "bold"))]
    if error := question.get("error"):
        lines.append(Text(f"  {single_line(error)}", style="red"))
    lines.append(Text(f"  {single_line(question['reason'])}"))
    spent = wording.describe_spend(Spend.from_state(question["spent"]))
    lines.append(Text(f"  Spent so far: {spent}"))
    for todo in question["to_do"]:
        estimate = wording.describe_spend(Spend.from_state(todo["estimate"]))
        lines.append(Text(f"  · {single_line(todo['option'])}: {estimate}", style="dim"))
    if buys := question["buys"]:
        options = single_line(", ".join(buys["options"])) or "the rest of the plan"
        more = format_amounts(buys["more"])
        lines.append(Text(f"  {more} more would buy {options}, worth {buys['value']:+.1f}"))
    return lines
