"""The receipt as a web page: written to a file, and opened in a browser."""

import tempfile
from pathlib import Path

import click

from thrifty.cli.screen import Screen
from thrifty.cli.target_file import TargetFile
from thrifty.receipt.record import Receipt


def write_page(file: TargetFile, receipt: Receipt, draft: str, screen: Screen) -> None:
    """Writes the page and says where it is."""
    from thrifty.receipt.html import receipt_page  # Jinja and Markdown: only for a page

    file.write(receipt_page(receipt, draft))
    screen.news.print(f"Receipt written to {file.name}.", soft_wrap=True)


def open_page(file: TargetFile) -> None:
    """Shows the page in the person's browser."""
    click.launch(file.path.resolve().as_uri())


def passing_file() -> TargetFile:
    """A file for a page that nobody named; it stays, as a browser reads it later."""
    return TargetFile(Path(tempfile.mkdtemp(prefix="thrifty-")) / "receipt.html")
