"""Shows progress: lines as they come and, at a terminal, below them what is running now."""

import time
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from thrifty.cli.live import Notice, NoticeKind

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
    """A context manager that prints notices."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, float] = {}
        """When each option that is running was started."""
        self._waiting_for = "getting ready"
        self._spinner = Spinner("dots", style="cyan")
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                console=self._console,
                transient=True,
                redirect_stdout=False,
                get_renderable=self._now,
            )
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()

    def print(self, what: RenderableType) -> None:
        """Prints above what is running."""
        self._console.print(what)

    def show(self, notice: Notice) -> None:
        """Prints a notice, and keeps track of what is running."""
        self._waiting_for = "deciding"
        if notice.kind == "start":
            self._running[notice.about] = time.monotonic()
            if self._live:
                return  # the spinner says it
        elif notice.about:
            self._running.pop(notice.about, None)
        mark, style = MARKS[notice.kind]
        self._console.print(Text.assemble((f"{mark} ", style), notice.text, overflow="fold"))

    def _now(self) -> RenderableType:
        now = time.monotonic()
        names = [f"{name} {now - since:.0f} s" for name, since in self._running.items()]
        self._spinner.update(text=Text(", ".join(names) or self._waiting_for, style="dim"))
        return self._spinner
