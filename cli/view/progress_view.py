"""Shows progress: lines as they come and, at a terminal, the live status of the run below them."""

import time
from collections.abc import Mapping
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from thrifty.cli.view.live_status import LiveStatus
from thrifty.cli.view.notices import NOTICE_MARKS, describe_event


class ProgressView:
    """A context manager that prints what the events of a run are worth."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live_status = LiveStatus(time.monotonic)
        self._live: Live | None = None
        self._plan_reason = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                console=self._console,
                transient=True,
                redirect_stdout=False,
                get_renderable=self._live_status.render,
            )
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()

    @property
    def is_live(self) -> bool:
        """Whether there is a screen on which text can grow."""
        return self._live is not None

    def show_text(self, message_id: str | None, piece: str) -> None:
        """Shows what a model writes, where there is such a screen."""
        self._live_status.text.add(message_id, piece)

    def show_event(self, event: Mapping[str, Any]) -> None:
        """Prints the line of an event, and updates the live status below them."""
        self._live_status.update(event)
        if event["event"] == "plan_made":
            self._plan_reason = event["reason"]
        if event["event"] == "decided" and event["reason"] == self._plan_reason:
            return  # the plan has told why there is none
        kind, text = describe_event(event) or ("", "")
        if kind and not (kind == "start" and self._live):  # the live status says what has started
            mark, style = NOTICE_MARKS[kind]
            self._console.print(Text.assemble((f"{mark} ", style), text, overflow="fold"))
