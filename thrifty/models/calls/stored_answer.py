"""An answer as the ledger keeps it beside its bill, and as it comes back from there."""

import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from thrifty.models.costs.input_bound import as_json

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk

FIELDS = (
    "content",
    "tool_calls",
    "invalid_tool_calls",
    "usage_metadata",
    "response_metadata",
    "additional_kwargs",
    "id",
)
"""What of a message is kept: all that a model can have written, and all that describes it."""


def to_json(message: Any) -> str:
    """A message, whole or merged of pieces, as the ledger keeps it."""
    return as_json(dict(zip(FIELDS, attrgetter(*FIELDS)(message), strict=True)))


def from_json(answer: str) -> "AIMessage":
    """The message that was kept."""
    from langchain_core.messages import AIMessage

    return AIMessage(**json.loads(answer))


def as_chunk(message: "AIMessage") -> "AIMessageChunk":
    """The message as a stream of one piece."""
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.tool import tool_call_chunk

    calls = [
        tool_call_chunk(name=call["name"], args=_text(call["args"]), id=call["id"], index=index)
        for index, call in enumerate((*message.tool_calls, *message.invalid_tool_calls))
    ]
    kept: dict[str, Any] = {
        field: getattr(message, field) for field in FIELDS if "tool" not in field
    }
    return AIMessageChunk(**kept, tool_call_chunks=calls, chunk_position="last")


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
