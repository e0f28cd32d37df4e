"""The answer with which an agent ends: money is kept back for it, so that tools cannot eat it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thrifty.budget import InvalidInput, Spend

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

LAST_ANSWER_TOKENS = 256
"""How long an answer has room for: what is known, in some sentences."""
NOTE = "thrifty_last_answer"
"""Where it stands, in the metadata of a message, what an answer takes that comes after it."""
NOTED = ("tokens", "cost_nano_usd")


class LastAnswer:
    """What an answer takes that reads all that was said before it.

    Args:
        useful_tokens: an answer that would have to be shorter is not worth its input.
    """

    def __init__(self, useful_tokens: int) -> None:
        self.output_tokens = max(useful_tokens, LAST_ANSWER_TOKENS)
        """How long it may be."""
        self.needed: Spend | None = None
        """The most that it takes after the call that was made last; None before any."""


def with_note(message: "AIMessage", needed: Spend) -> "AIMessage":
    """The message, with a note of what an answer takes that comes after it."""
    note = {name: getattr(needed, name) for name in NOTED}
    told = {**message.response_metadata, NOTE: note}
    return message.model_copy(update={"response_metadata": told})


def needed_after(messages: Sequence[Any], call_id: object) -> Spend | None:
    """What an answer takes after the message that calls a tool. None where no note says so.

    A client of a server may have written the note. All that it decides is what the agent keeps
    back of its own account.
    """
    for message in reversed(messages):
        if any(call["id"] == call_id for call in getattr(message, "tool_calls", ())):
            return _read(message.response_metadata.get(NOTE))
    return None


def _read(note: Any) -> Spend | None:
    if not isinstance(note, Mapping) or set(note) != set(NOTED):
        return None
    try:
        return Spend(**note, tool_calls=1)
    except InvalidInput:
        return None
