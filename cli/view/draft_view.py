"""A draft, rendered for a person at a terminal."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.table import Table

from thrifty.budget.plain_text import strip_unprintable


class _FoldedTable(TableElement):
    """A table that breaks a word too long for its column; rich would cut it off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column in part.columns:
                    column.overflow = "fold"
            yield part


class DraftView(Markdown):
    """Markdown from a model, without control characters; a link shows its address."""

    elements = {**Markdown.elements, "table_open": _FoldedTable}  # noqa: RUF012 - as in rich

    def __init__(self, draft: str) -> None:
        super().__init__(strip_unprintable(draft), hyperlinks=False)  # else it hides its address
        for token in self._flatten_tokens(self.parsed):
            if token.type == "softbreak":
                token.type = "hardbreak"  # the lines of a poem stay lines
