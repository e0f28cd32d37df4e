"""What a model call brought back, as read from a message and as kept in the journal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from thrifty.budget import Spend


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was paid."""

    text: str
    arguments: Any = field(default=None, hash=False)
    """The arguments of the tool call, when one was asked for: untrusted, of any shape."""
    cut: bool = False
    """Whether the answer ends at the output cap, or where its stream broke off."""
    spend: Spend = Spend()

    def to_journal(self) -> str:
        """The answer as text; its spend stands in the ledger's entry beside it."""
        return json.dumps({"text": self.text, "arguments": self.arguments, "cut": self.cut})

    @classmethod
    def from_journal(cls, journal: str, spend: Spend) -> Reply:
        return cls(**json.loads(journal), spend=spend)


def read_reply(message: Any, usage_known: bool) -> tuple[str, Any, bool]:
    """Text, tool-call arguments and whether they were cut, from a message of LangChain's."""
    calls = message.tool_calls or message.invalid_tool_calls
    metadata = message.response_metadata
    at_cap = metadata.get("finish_reason") == "length" or metadata.get("status") == "incomplete"
    ended = metadata.get("finish_reason") or metadata.get("status")
    broke_off = not usage_known and not ended
    return str(message.text), calls[0]["args"] if calls else None, at_cap or broke_off
