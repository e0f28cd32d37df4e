"""Quotes text from outside in Markdown, on one line and without a live tag or link."""

import re

from thrifty.budget.plain_text import single_line

QUOTE_MAX = 300
"""How much of a task is quoted, in characters."""

_MARKUP = re.compile(r"(\\{0,20})(<(?=[A-Za-z/!?])|\](?=[(:\[]))")
"""Where a tag or a link could begin. Backslashes before it would undo ours, so they are doubled."""


def inert(text: str) -> str:
    """One line of Markdown that shows a text as it is, but for emphasis."""
    # A mark at the start of the line would begin a heading, a list or a table.
    return re.sub(r"^(?=[#>*+\-=~`|])", r"\\", _MARKUP.sub(r"\1\1\\\2", single_line(text)))


def quote(task: str) -> str:
    """The beginning of the task as a block quote of one line."""
    # No more than four times as much is cleaned, as a task may be as long as a book.
    text = single_line(task[: 4 * QUOTE_MAX])
    is_cut = len(text) > QUOTE_MAX or len(task) > 4 * QUOTE_MAX
    return f"> {inert(text[:QUOTE_MAX])}{'…' * is_cut}"


def capital(text: str) -> str:
    """With a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with numbered rows; no cell may hold a bar."""
    numbered = [[str(number), *map(capital, row)] for number, row in enumerate(rows, start=1)]
    lines = [["#", *columns], ["---"] * (len(columns) + 1), *numbered]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
