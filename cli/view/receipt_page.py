"""The receipt as a web page."""

from thrifty.cli.output_file import OutputFile
from thrifty.cli.view.screen import Screen
from thrifty.receipt.receipt_data import Receipt


def write_receipt_page(file: OutputFile, receipt: Receipt, draft: str, screen: Screen) -> None:
    """Writes the page and says where it is."""
    from thrifty.receipt.html import receipt_page  # Jinja and Markdown: only for a page

    file.write(receipt_page(receipt, draft))
    screen.notes.print(f"Receipt written to {file.name}.", soft_wrap=True)
