"""Asks the person at the terminal what a run wants to know."""

from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from thrifty.budget import InvalidInput
from thrifty.budget.plain_text import single_line
from thrifty.cli.answers import (
    ANSWER,
    DONE,
    EDIT,
    FINISH,
    GO,
    LEAVE_OUT,
    RAISE,
    choices,
    read_value,
)
from thrifty.cli.view.question_lines import question_lines
from thrifty.cli.view.screen import Screen


def ask_person(question: Any, screen: Screen) -> object:
    """What the person answers; None where nobody is at the terminal."""
    if not screen.is_interactive:
        return None
    for line in question_lines(question):
        screen.notes.print(line)
    allowed = choices(question)
    words = [choice.word for choice in allowed]
    if words == [ANSWER]:
        return read_value(click.prompt("Answer"))
    width = max(map(len, words))
    for choice in allowed:
        screen.notes.print(Text(f"  {choice.word:<{width}}  {choice.effect}", style="dim"))
    chosen = click.prompt("Answer", type=click.Choice(words), default=_default(question, words))
    return _complete(chosen, question)


def _default(question: Mapping[str, Any], words: list[str]) -> str | None:
    """What Enter alone says. Nothing where something outside is changed by it."""
    if question["about"] in ("call", "effect"):
        return None
    return RAISE if RAISE in words else GO


def _complete(chosen: str, question: Mapping[str, Any]) -> object:
    """The whole answer, for which a person may be asked more."""
    is_call = question["about"] in ("call", "effect")
    if chosen == RAISE:
        return {"budget": question["buys"]["budget"]}
    if chosen == EDIT:
        return {"input": _ask_input(question["input"])}
    if chosen == LEAVE_OUT and not is_call:
        steps = list(dict.fromkeys(todo["step"] for todo in question["to_do"]))
        return {"leave_out": [click.prompt("Step", type=click.Choice(steps))]}
    if chosen == DONE:
        told = click.prompt("What came of it (Enter: nothing to add)", default="")
        return {"done": told} if told.strip() else DONE
    return {LEAVE_OUT: "leave_out", FINISH: FINISH}.get(chosen, chosen)


def _ask_input(before: object) -> object:
    """Another input. It is asked for again until it can be read."""
    form = "" if isinstance(before, str) else ", as JSON in one line"
    while True:
        try:
            return read_value(click.prompt(f"New input{form}"), before)
        except InvalidInput as error:
            click.echo(f"Error: {single_line(str(error))}", err=True)
