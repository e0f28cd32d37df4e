"""What a model call brought back, as the agent reads it from a message."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was paid."""

    text: str
    arguments: Any = field(default=None, hash=False)
    """The arguments of the tool call, when one was asked for: untrusted, of any shape."""
    is_cut: bool = False
    """Whether the answer ends at the output cap, or where its stream broke off."""


def read_reply(message: Any) -> Reply:
    """Text, tool-call arguments and whether they were cut, from a message of LangChain's."""
    calls = message.tool_calls or message.invalid_tool_calls
    metadata = message.response_metadata
    at_cap = metadata.get("finish_reason") == "length" or metadata.get("status") == "incomplete"
    ended = metadata.get("finish_reason") or metadata.get("status")
    broke_off = not message.usage_metadata and not ended
    return Reply(str(message.text), calls[0]["args"] if calls else None, at_cap or broke_off)
