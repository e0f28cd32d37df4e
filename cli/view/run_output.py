"""The output of a run: its answer and its receipt, on the screen, in files, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.rule import Rule
from rich.text import Text

from thrifty.budget.plain_text import single_line, strip_unprintable
from thrifty.cli.answers import choices, join_options
from thrifty.cli.exit_codes import DONE, exit_code
from thrifty.cli.output_file import check_output_file
from thrifty.cli.view.question_lines import question_lines
from thrifty.cli.view.receipt_page import write_receipt_page
from thrifty.cli.view.screen import Screen, print_json
from thrifty.receipt import wording
from thrifty.receipt.receipt_data import Receipt
from thrifty.receipt.terminal import receipt_view

RESULT_FIELDS = (
    *("run", "answer", "draft", "structured", "results"),
    *("status", "halt_reason", "spend", "plan", "receipt"),
)
"""What `--json` prints, and what is kept, of the state."""


@dataclass(frozen=True, slots=True)
class RunOutput:
    """Where the result of a run goes, and in which form."""

    screen: Screen
    answer_file: Path | None
    """Takes the answer instead of standard output."""
    as_json: bool
    is_quiet: bool
    page_file: Path | None
    """Takes the receipt as a web page besides."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> RunOutput:
        """Reads the options of a command, by the names of their parameters."""
        return cls(
            Screen.of(as_json=given["as_json"], quiet=given["quiet"]),
            check_output_file("--output", given["output"]),
            as_json=given["as_json"],
            is_quiet=given["quiet"],
            page_file=check_output_file("--html", given["html"]),
        )

    @staticmethod
    def to_data(values: Mapping[str, Any]) -> dict[str, Any]:
        """What is handed over, as plain data."""
        return {field: values[field] for field in RESULT_FIELDS}

    def show_result(self, values: Mapping[str, Any]) -> None:
        """Shows a run that has ended."""
        receipt = Receipt.from_state(values["receipt"])
        self._show_answer(values["draft"])
        if self.as_json:
            print_json(self.to_data(values))
        elif not self.is_quiet:
            result = self.screen.result
            view = receipt_view(receipt, result.width)
            result.print("", Rule("Receipt", style="dim"), view, sep="\n")
        elif exit_code(receipt) != DONE:
            click.echo(f"thrifty: {wording.describe_verdict(receipt)}", err=True)
        if self.answer_file and values["draft"]:
            self.screen.print_file_note("Answer", self.answer_file)
        if self.page_file:
            write_receipt_page(self.page_file, receipt, values["draft"], self.screen)

    def show_waiting(self, question: Any, run: str) -> None:
        """Says what a run waits for."""
        if self.as_json:
            print_json({"run": run, "status": "waiting", "question": question})
            return
        for line in question_lines(question):
            self.screen.notes.print(line)
        options = join_options(choices(question))
        answer = f"answer with `thrifty resume {run}` at a terminal, or with {options}"
        how = answer if run else "it was not kept"
        if self.is_quiet:
            click.echo(f"thrifty: the run waits for an answer; {how}", err=True)
        else:
            self.screen.notes.print(Text(f"  {how[:1].upper()}{how[1:]}."))
        for file in filter(None, (self.answer_file, self.page_file)):
            name = single_line(str(file))
            click.echo(f"thrifty: {name} was not written: the run waits", err=True)

    def _show_answer(self, draft: str) -> None:
        """All that was written, which is the answer or as far as it got: Markdown as it is for a
        file or a pipe, rendered for a person."""
        result = self.screen.result
        if self.answer_file:
            text = f"{strip_unprintable(draft)}\n" if draft else ""
            self.answer_file.write_text(text, encoding="utf-8")
        elif self.as_json or not draft:
            return
        elif result.is_terminal and not self.is_quiet:
            result.print("", Rule("Answer", style="dim"), sep="\n")
            from thrifty.cli.view.draft_view import DraftView  # Markdown: only for a draft

            result.print(DraftView(draft))
        else:
            click.echo(strip_unprintable(draft))
