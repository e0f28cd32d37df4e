"""What a model's answer is streamed with: events on how far it is, and whose step it is.

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


def about_messages(option: StepOption, answers: bool) -> dict[str, Any]:
    """What the metadata of streamed messages say.

    Args:
        option: what is done.
        answers: whether that answers the task.
    """
    return {"thrifty_step": option.step, "thrifty_answers": answers}


@dataclass(eq=False)
class ProgressHandler(BaseCallbackHandler):
    """Counts what the calls of one model write."""

    write: StreamWriter
    option: StepOption
    event_base: Callable[[], EventBase]
    emitted_ns: int = 0
    characters: int = 0
    message_id: str | None = None
    """Of the last message, once it is whole. None where it calls tools."""

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        """Notes which message it was. LangChain calls this."""
        message = response.generations[0][0].message
        self.message_id = None if message.tool_calls else message.id

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
