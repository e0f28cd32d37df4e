"""Shows progress: lines as they come and, at a terminal, below them the board of the run."""

import time
from collections.abc import Mapping
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from thrifty.cli.board import Board
from thrifty.cli.live import NoticeKind, notices

MARKS: dict[NoticeKind, tuple[str, str]] = {
    "start": ("▸", "dim"),
    "done": ("✓", "green"),
    "cut": ("✂", "yellow"),
    "failed": ("✗", "red"),
    "stopped": ("■", "yellow"),
    "options": ("+", "cyan"),
    "replan": ("↻", "cyan"),
    "upgrade": ("↑", "green"),
    "downgrade": ("↓", "yellow"),
    "skip": ("-", "yellow"),
    "ask": ("?", "cyan"),
    "halt": ("■", "yellow"),
}


class Progress:
    """A context manager that prints what the events of a run are worth."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._board = Board(time.monotonic)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                console=self._console,
                transient=True,
                redirect_stdout=False,
                get_renderable=self._board.view,
            )
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()

    def print(self, what: RenderableType) -> None:
        """Prints above what is running."""
        self._console.print(what)

    def show(self, event: Mapping[str, Any]) -> None:
        """Prints the lines of an event, and moves the board below them."""
        self._board.hear(event)
        for notice in notices(event):
            if notice.kind == "start" and self._live:
                continue  # the board says it
            mark, style = MARKS[notice.kind]
            self._console.print(Text.assemble((f"{mark} ", style), notice.text, overflow="fold"))
