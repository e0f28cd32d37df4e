"""Where output goes: at a terminal all to the screen; in a pipe the result and nothing else."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from thrifty.budget import Budget
from thrifty.budget.plain_text import single_line
from thrifty.cli.run_request import RunRequest
from thrifty.receipt.wording import describe_asking, describe_left

if TYPE_CHECKING:
    from thrifty.run.asking_rule import AskingForecast


@dataclass(frozen=True, slots=True)
class Screen:
    """The two places that are written to."""

    result: Console
    """Standard output: the answer and the receipt, or the JSON."""
    notes: Console
    """Budget, plan and progress: with the result at a terminal, else standard error."""

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked: both ways lead to a terminal."""
        return self.result.is_terminal and self.notes is self.result and sys.stdin.isatty()

    @classmethod
    def of(cls, *, as_json: bool = False, quiet: bool = False) -> Screen:
        """The places for this process.

        Args:
            as_json: keep everything but the JSON out of standard output.
            quiet: drop the notes.
        """
        # What a model or a recipe says is shown as it is: no mark-up of rich may be in it.
        result = Console(highlight=False, markup=False, emoji=False)
        if result.is_terminal and not as_json and not quiet:
            return cls(result, result)
        notes = Console(stderr=True, highlight=False, markup=False, emoji=False, quiet=quiet)
        return cls(result, notes)

    def print_file_note(self, what: str, file: Path) -> None:
        """Says where something was written, its name unbroken so that it can be copied."""
        self.notes.print(f"{what} written to {single_line(str(file))}.", soft_wrap=True)


def print_json(data: Any) -> None:
    """Prints plain data as one JSON object on standard output."""
    click.echo(json.dumps(data, indent=2, allow_nan=False))


def opening_lines(request: RunRequest) -> list[Text]:
    """The lines before a run: its budget, its recipe and, when no model is in reach, that it is
    offline."""
    lines = [Text.assemble(("Budget  ", "bold"), request.budget_line)]
    if reason := request.recipe.reason:
        lines.append(Text.assemble(("Recipe  ", "bold"), single_line(reason)))
    if request.offline_line:
        lines.append(Text.assemble(("Offline  ", "bold yellow"), request.offline_line))
    return lines


def account_line(name: str, left: Budget) -> Text:
    """Who pays for a run, and what is left there."""
    what = "no limit" if left.is_unlimited else f"{describe_left(left)} left"
    return Text.assemble(("Account  ", "bold"), f"{single_line(name)}: {what}")


def print_asking(screen: Screen, asking: AskingForecast | None) -> None:
    """Says whether a run would first ask a model for steps, where that is a question."""
    if asking is not None:
        screen.result.print(describe_asking(asking.model, asking.most, asking.reason), style="dim")
