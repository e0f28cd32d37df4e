"""Hands over what a run brought: the draft and the receipt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from rich.rule import Rule

from thrifty.budget.plain_text import plain
from thrifty.cli.ask import told_of
from thrifty.cli.page import write_page
from thrifty.cli.screen import Screen
from thrifty.cli.target_file import TargetFile
from thrifty.receipt import words
from thrifty.receipt.record import Receipt
from thrifty.receipt.text import receipt_view

FIELDS = ("run", "draft", "status", "spend", "plan", "receipt")
"""What `--json` prints, and what is kept, of the state."""


@dataclass(frozen=True, slots=True)
class Result:
    """Where and how to hand it over."""

    screen: Screen
    file: TargetFile | None
    """Takes the draft instead of standard output."""
    as_json: bool
    is_quiet: bool
    page: TargetFile | None
    """Takes the receipt as a web page besides."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Result:
        """As the options of a command have it."""
        return cls(
            Screen.of(as_json=given["as_json"], quiet=given["quiet"]),
            TargetFile.of("--output", given["output"]),
            as_json=given["as_json"],
            is_quiet=given["quiet"],
            page=TargetFile.of("--html", given["html"]),
        )

    @staticmethod
    def data(known: Mapping[str, Any]) -> dict[str, Any]:
        """What is handed over, as plain data."""
        return {field: known[field] for field in FIELDS}

    def show(self, known: Mapping[str, Any]) -> None:
        """Shows a run that has ended."""
        receipt = Receipt.from_state(known["receipt"])
        self._show_draft(known["draft"], "Draft")
        if self.as_json:
            self._print(self.data(known))
        elif not self.is_quiet:
            self._show_receipt(receipt)
        elif receipt.status != "done" or not receipt.within_budget:
            click.echo(f"thrifty: {words.verdict(receipt)}", err=True)
        if self.file and known["draft"]:
            self.screen.news.print(f"Draft written to {self.file.name}.", soft_wrap=True)
        if self.page:
            write_page(self.page, receipt, known["draft"], self.screen)

    def show_waiting(self, question: Mapping[str, Any], run: str) -> None:
        """Says what a run waits for."""
        if self.as_json:
            self._print({"run": run, "status": "waiting", "question": question})
            return
        for line in told_of(question):
            self.screen.news.print(line)
        how = f"answer with `thrifty resume {run} --help`" if run else "it was not kept"
        if self.is_quiet:
            click.echo(f"thrifty: the run waits for an answer; {how}", err=True)
        else:
            self.screen.news.print(f"{how[:1].upper()}{how[1:]}.")
        for file in filter(None, (self.file, self.page)):
            click.echo(f"thrifty: {file.name} was not written: the run waits", err=True)

    def _print(self, data: Mapping[str, Any]) -> None:
        click.echo(json.dumps(data, indent=2, allow_nan=False))

    def _show_draft(self, draft: str, title: str) -> None:
        """Markdown as it is for a file or a pipe, rendered for a person."""
        result = self.screen.result
        if self.file:
            self.file.write(f"{plain(draft)}\n" if draft else "")
        elif self.as_json or not draft:
            return
        elif result.is_terminal and not self.is_quiet:
            result.print("", Rule(title, style="dim"), sep="\n")
            from thrifty.cli.draft_view import DraftView  # Markdown: only for a draft

            result.print(DraftView(draft))
        else:
            click.echo(plain(draft))

    def _show_receipt(self, receipt: Receipt) -> None:
        result = self.screen.result
        view = receipt_view(receipt, result.width)
        result.print("", Rule("Receipt", style="dim"), view, sep="\n")
