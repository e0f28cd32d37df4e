"""`thrifty receipt`: shows again what a run has said with `--json`."""

import tempfile
from pathlib import Path

import click

from thrifty.cli.exit_codes import exit_code
from thrifty.cli.output_file import check_output_file
from thrifty.cli.receipt_file import read_receipt_file
from thrifty.cli.shared_options import flag_option
from thrifty.cli.view.receipt_page import write_receipt_page
from thrifty.cli.view.screen import Screen
from thrifty.receipt.terminal import receipt_view


@click.command(
    epilog="""\b
Examples:
  thrifty run "Draft a project plan for a tea party" --json > run.json
  thrifty receipt run.json
  thrifty receipt run.json --html receipt.html
  thrifty run "Draft a project plan for a tea party" --json | thrifty receipt - --open

The exit code is that of the run; see `thrifty run --help`.
"""
)
@click.argument("file", metavar="FILE")
@click.option("--html", metavar="FILE", help="Write it as a web page that needs nothing else.")
@flag_option("--open", "opens", help="Open the web page in your browser.")
def receipt(file: str, html: str | None, opens: bool) -> int:
    """Show the receipt of a run that has ended.

    FILE is what `thrifty run --json` printed, or - for standard input. `thrifty show` has the
    receipts of the runs that are kept.
    """
    record, draft = read_receipt_file(file)
    page = check_output_file("--html", html)
    if opens and page is None:  # it stays there, as a browser reads it later
        page = Path(tempfile.mkdtemp(prefix="thrifty-")) / "receipt.html"
    screen = Screen.of()
    if page is None:
        screen.result.print(receipt_view(record, screen.result.width))
    else:
        write_receipt_page(page, record, draft, screen)
        if opens:
            click.launch(page.resolve().as_uri())
    return exit_code(record)
