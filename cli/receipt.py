"""`thrifty receipt`: shows again what a run has said with `--json`."""

import click

from thrifty.cli.edge import debug_option
from thrifty.cli.exit_codes import exit_code
from thrifty.cli.page import open_page, passing_file, write_page
from thrifty.cli.record_file import read_record
from thrifty.cli.screen import Screen
from thrifty.cli.target_file import TargetFile
from thrifty.receipt.text import receipt_view

EPILOG = """\b
Examples:
  thrifty run "Plan a tea party" --json > run.json
  thrifty receipt run.json
  thrifty receipt run.json --html receipt.html
  thrifty run "Plan a tea party" --json | thrifty receipt - --open

The exit code is that of the run; see `thrifty run --help`.
"""


@click.command(epilog=EPILOG)
@click.argument("file", metavar="FILE")
@click.option("--html", metavar="FILE", help="Write it as a web page that needs nothing else.")
@click.option("--open", "opens", is_flag=True, help="Open the web page in your browser.")
@debug_option
def receipt(file: str, html: str | None, opens: bool) -> int:
    """Show the receipt of a run that has ended.

    FILE is what `thrifty run --json` printed, or - for standard input.
    """
    record, draft = read_record(file)
    page = TargetFile.of("--html", html) or (passing_file() if opens else None)
    screen = Screen.of(as_json=False)
    if page is None:
        screen.result.print(receipt_view(record, screen.result.width))
    else:
        write_page(page, record, draft, screen)
        if opens:
            open_page(page)
    return exit_code(record)
