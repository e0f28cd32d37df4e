"""Emits an event on how far a model has written, wherever its answer is streamed.

A model streams when somebody reads its words, as with the stream mode `messages`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.types import StreamWriter

from thrifty.budget import StepOption
from thrifty.run.events import EventBase, StepProgress

PAUSE_NS = 200_000_000
"""Between two events: a model writes more often than anybody looks."""


@dataclass(eq=False)
class ProgressHandler(BaseCallbackHandler):
    """Counts what one call writes."""

    write: StreamWriter
    option: StepOption
    event_base: Callable[[], EventBase]
    emitted_ns: int = 0
    characters: int = 0
    message_id: str | None = None
    """Of the message, once it is whole."""

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        """Notes which message it was. LangChain calls this."""
        self.message_id = response.generations[0][0].message.id

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        """Adds a piece of the answer. LangChain calls this."""
        self.characters += len(token) if isinstance(token, str) else 0
        now_ns = time.monotonic_ns()
        if self.characters and now_ns - self.emitted_ns >= PAUSE_NS:
            self.emitted_ns = now_ns
            progress: StepProgress = {
                **self.event_base(),
                "event": "step_progress",
                "step": self.option.step,
                "option": self.option.name,
                "characters": self.characters,
            }
            self.write(progress)
