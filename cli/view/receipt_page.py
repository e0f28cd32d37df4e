"""The receipt as a web page: written to a file, and opened in a browser."""

import tempfile
from pathlib import Path

import click

from thrifty.cli.output_file import OutputFile
from thrifty.cli.view.screen import Screen
from thrifty.receipt.receipt_data import Receipt


def write_receipt_page(file: OutputFile, receipt: Receipt, draft: str, screen: Screen) -> None:
    """Writes the page and says where it is."""
    from thrifty.receipt.html import receipt_page  # Jinja and Markdown: only for a page

    file.write(receipt_page(receipt, draft))
    screen.notes.print(f"Receipt written to {file.name}.", soft_wrap=True)


def open_in_browser(file: OutputFile) -> None:
    """Shows the page in the person's browser."""
    click.launch(file.path.resolve().as_uri())


def temporary_page_file() -> OutputFile:
    """A file for a page that nobody named; it stays, as a browser reads it later."""
    return OutputFile(Path(tempfile.mkdtemp(prefix="thrifty-")) / "receipt.html")
