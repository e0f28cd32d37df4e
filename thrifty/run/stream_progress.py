"""Emits an event on how far a model has written, wherever its answer is streamed.

A model streams when somebody reads its words, as with the stream mode `messages`.
"""

import time
from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.types import StreamWriter

from thrifty.budget import StepOption
from thrifty.run.events import EventBase, StepProgress

PAUSE_NS = 200_000_000
"""Between two events: a model writes more often than anybody looks."""


class ProgressHandler(BaseCallbackHandler):
    """Counts what one call writes."""

    def __init__(
        self, write: StreamWriter, option: StepOption, event_base: Callable[[], EventBase]
    ) -> None:
        self._write = write
        self._option = option
        self._event_base = event_base
        self._emitted_ns = 0
        self._characters = 0

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        """Adds a piece of the answer. LangChain calls this."""
        self._characters += len(token) if isinstance(token, str) else 0
        now_ns = time.monotonic_ns()
        if self._characters and now_ns - self._emitted_ns >= PAUSE_NS:
            self._emitted_ns = now_ns
            progress: StepProgress = {
                **self._event_base(),
                "event": "step_progress",
                "step": self._option.step,
                "option": self._option.name,
                "characters": self._characters,
            }
            self._write(progress)
