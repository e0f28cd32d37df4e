"""Shows progress: lines as they come and, at a terminal, below them what is running now."""

import time
from contextlib import nullcontext
from types import TracebackType

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
    "options": ("+", "cyan"),
    "replan": ("↻", "cyan"),
    "downgrade": ("↓", "yellow"),
    "skip": ("-", "yellow"),
    "ask": ("?", "cyan"),
    "halt": ("■", "yellow"),
}
WORDS: dict[NoticeKind, str] = {
    "options": "options: ",
    "replan": "replan: ",
    "downgrade": "downgrade: ",
    "skip": "skip: ",
    "halt": "halt: ",
}


class Progress:
    """A context manager that prints notices."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, float] = {}
        self._spinner = Spinner("dots", style="cyan")
        is_live = console.is_terminal and not console.is_dumb_terminal and not console.quiet
        self._live = (
            Live(console=console, transient=True, get_renderable=self._now) if is_live else None
        )
        self._waiting_for = "getting ready"

    def __enter__(self) -> "Progress":
        (self._live or nullcontext()).__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.__exit__(kind, error, trace)

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
        said = f"{WORDS.get(notice.kind, '')}{notice.text}"
        self._console.print(Text.assemble((f"{mark} ", style), said, overflow="fold"))

    def _now(self) -> RenderableType:
        now = time.monotonic()
        names = [f"{name} {now - since:.0f} s" for name, since in self._running.items()]
        self._spinner.update(text=Text(", ".join(names) or self._waiting_for, style="dim"))
        return self._spinner
