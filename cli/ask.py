"""Asks the person at the terminal what a run wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from thrifty.budget import Spend
from thrifty.budget.resources import told
from thrifty.cli.screen import Screen
from thrifty.receipt import words

FINISH, GO, RAISE = "finish", "go", "raise"


def ask(question: Mapping[str, Any], screen: Screen) -> object:
    """What the person answers; None where nobody is at the terminal."""
    if not screen.is_a_persons:
        return None
    for line in told_of(question):
        screen.news.print(line)
    choices = [GO, *([RAISE] if question["buys"] else []), FINISH]
    chosen = click.prompt("Answer", type=click.Choice(choices), default=choices[-2])
    if chosen == RAISE:
        return {"budget": question["buys"]["budget"]}
    return chosen


def told_of(question: Mapping[str, Any]) -> list[Text]:
    """A question in a few lines."""
    lines = [Text.assemble(("? ", "cyan"), (question["question"], "bold"))]
    if error := question.get("error"):
        lines.append(Text(f"  {words.one_line(error)}", style="red"))
    lines.append(Text(f"  {words.one_line(question['reason'])}"))
    lines.append(Text(f"  Spent so far: {words.amounts(Spend.from_state(question['spent']))}"))
    lines += [
        Text(f"  · {words.one_line(todo['option'])}: {_expected(todo)}", style="dim")
        for todo in question["to_do"]
    ]
    if buys := question["buys"]:
        options = words.one_line(", ".join(buys["options"])) or "the rest of the plan"
        lines.append(
            Text(f"  {told(buys['more'])} more would buy {options}, worth {buys['value']:+.1f}")
        )
    return lines


def _expected(todo: Mapping[str, Any]) -> str:
    return words.amounts(Spend.from_state(todo["estimate"]))
