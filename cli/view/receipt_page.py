"""The receipt as a web page."""

from pathlib import Path

from thrifty.cli.view.screen import Screen
from thrifty.receipt.receipt_data import Receipt


def write_receipt_page(file: Path, receipt: Receipt, draft: str, screen: Screen) -> None:
    """Writes the page and says where it is."""
    from thrifty.receipt.html import receipt_page  # Jinja and Markdown: only for a page

    file.write_text(receipt_page(receipt, draft), encoding="utf-8")
    screen.print_file_note("Receipt", file)
