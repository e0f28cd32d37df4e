"""What an agent says that cannot go on, and what of that its model is sent."""

from collections.abc import Sequence
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.types import Command

from thrifty.budget import ThriftyError

T = TypeVar("T")
ToolAnswer = ToolMessage | Command[Any]
"""What comes of a tool's call."""

MARK = "thrifty"
"""Where, in the metadata of a message, it stands that it is ours and no model's."""


def end_message(why: ThriftyError) -> AIMessage:
    """The last message of an agent that cannot go on."""
    metadata = {MARK: {"error": type(why).__name__}}
    return AIMessage(f"I have to stop here: {why}.", response_metadata=metadata)


def without_end_messages(messages: Sequence[T]) -> list[T]:
    """What a model is sent of a conversation: what it never wrote would cost, and mislead it."""
    return [message for message in messages if not _is_end(message)]


def _is_end(message: Any) -> bool:
    return isinstance(message, AIMessage) and "error" in message.response_metadata.get(MARK, {})
