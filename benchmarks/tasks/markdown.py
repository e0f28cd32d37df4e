"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """A table with its numbers to the right.

    Args:
        heads: of the columns.
        rows: the cells of each row.
        texts: how many columns hold words, from the left.
    """
    rule = ["---"] * texts + ["---:"] * (len(heads) - texts)
    return "\n".join(_row(cells) for cells in (heads, rule, *rows))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
