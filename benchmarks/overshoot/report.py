"""The figures as Markdown."""

from collections.abc import Mapping, Sequence

from benchmarks.overshoot.cell_figures import CellFigures
from benchmarks.overshoot.workload import Cell

CellResults = Mapping[Cell, Mapping[str, CellFigures]]
"""Of each cell, the figures of each system by its name."""

HEADINGS = (
    "runs over",
    "mean",
    "worst",
    "least",
    "useful",
    "cut, by agent",
    "cut, by system",
    "lost",
    "paid for cut",
    "in flight",
    "books right",
)


def results_table(results: Mapping[str, CellFigures], caption: str = "") -> str:
    """All figures, a row each."""
    lines = _header_rows([caption, *HEADINGS])
    for name, found in results.items():
        shown = (
            f"{found.over:.0%}",
            f"{found.mean:.2f}",
            f"{found.worst:.2f}",
            f"{found.least:.2f}",
            f"{found.useful:.1f}",
            f"{found.cut_by_agent:.1f}",
            f"{found.cut_by_system:.1f}",
            f"{found.lost:.1f}",
            f"{found.spent_on_cut:.0%}",
            f"{found.in_flight:.1f}",
            f"{found.books:.0%}",
        )
        lines.append(_table_row([name, *shown]))
    return "\n".join(lines)


def sweep_table(cells: Sequence[Cell], results: CellResults) -> str:
    """Several cells side by side: runs over, mean and worst ratio."""
    titles = [f"${cell.cap_usd}, {cell.calls_per_budget:.0f} calls" for cell in cells]
    lines = _header_rows(["", *titles])
    for system in results[cells[0]]:
        found = [results[cell][system] for cell in cells]
        shown = [f"{each.over:.0%}, {each.mean:.2f}, {each.worst:.2f}" for each in found]
        lines.append(_table_row([system, *shown]))
    return "\n".join(lines)


def cell_title(cell: Cell) -> str:
    return f"{kind_title(cell)}, budget ${cell.cap_usd}"


def kind_title(cell: Cell) -> str:
    callers = "1 caller" if cell.callers == 1 else f"{cell.callers} callers at once"
    sent = "no max_tokens" if cell.max_tokens is None else f"max_tokens={cell.max_tokens:,}"
    return f"{callers}, {sent}"


def _header_rows(titles: Sequence[str]) -> list[str]:
    return [_table_row(titles), "|---|" + "---:|" * (len(titles) - 1)]


def _table_row(fields: Sequence[str]) -> str:
    return f"| {' | '.join(fields)} |"
