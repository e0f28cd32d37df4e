"""Hands over what a run brought: the draft and the receipt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from rich.rule import Rule

from thrifty.budget.plain_text import plain
from thrifty.cli.draft_file import DraftFile
from thrifty.cli.draft_view import DraftView
from thrifty.cli.screen import Screen
from thrifty.receipt import words
from thrifty.receipt.record import Receipt
from thrifty.receipt.text import receipt_view

FIELDS = ("draft", "status", "spend", "plan", "receipt")
"""What `--json` prints of the state."""


@dataclass(frozen=True, slots=True)
class Result:
    """Where and how to hand it over."""

    screen: Screen
    file: DraftFile | None
    """Takes the draft instead of standard output."""
    as_json: bool
    is_quiet: bool

    def show(self, known: Mapping[str, Any]) -> None:
        """Shows a run that has ended."""
        receipt = Receipt.from_state(known["receipt"])
        self._show_draft(known["draft"], "Draft")
        if self.as_json:
            state = {field: known[field] for field in FIELDS}
            click.echo(json.dumps(state, indent=2, allow_nan=False))
        elif not self.is_quiet:
            self._show_receipt(receipt)
        elif receipt.status != "done" or not receipt.within_budget:
            click.echo(f"thrifty: {words.verdict(receipt)}", err=True)
        if self.file and known["draft"]:
            self.screen.news.print(f"Draft written to {self.file.name}.", soft_wrap=True)

    def show_interrupted(self, draft: str) -> str:
        """Hands over what was finished, and says where it is."""
        if not draft:
            return "nothing was finished"
        self._show_draft(draft, "Draft so far")
        if self.file:
            return f"what was finished is in {self.file.name}"
        return "" if self.as_json else "what was finished is above"

    def _show_draft(self, draft: str, title: str) -> None:
        """Markdown as it is for a file or a pipe, rendered for a person."""
        result = self.screen.result
        if self.file:
            self.file.write(draft)
        elif self.as_json or not draft:
            return
        elif result.is_terminal and not self.is_quiet:
            result.print("", Rule(title, style="dim"), sep="\n")
            result.print(DraftView(draft))
        else:
            click.echo(plain(draft))

    def _show_receipt(self, receipt: Receipt) -> None:
        result = self.screen.result
        view = receipt_view(receipt, result.width)
        result.print("", Rule("Receipt", style="dim"), view, sep="\n")
