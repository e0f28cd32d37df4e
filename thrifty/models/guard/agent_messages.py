"""What an agent reads and says about its budget: why it ends, and what became of a tool's call."""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.types import Command

from thrifty.budget import ThriftyError
from thrifty.models.guard.step_account import StepAccount

logger = logging.getLogger(__name__)

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


def tell_of_call(
    request: Any, why: ThriftyError, account: StepAccount, returned: Sequence[ToolAnswer]
) -> ToolAnswer:
    """What the model reads of a tool's call that ended in an error of ours.

    Args:
        request: LangChain's.
        why: the error.
        account: where the call is booked.
        returned: what the tool has returned, if it has: then the books alone have failed.
    """
    call = request.tool_call
    for answer in returned:
        logger.error("%r was called, and its call is not settled yet: %s", call["name"], why)
        return answer
    known = "Called, but stopped before its end" if account.has_called else "Not called"
    return ToolMessage(
        f"{known}: {why}.", tool_call_id=call["id"], name=call["name"], status="error"
    )
