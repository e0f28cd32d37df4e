"""What a client asks for, the same whichever API it came by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """One message of the prompt."""

    role: str
    text: str


@dataclass(frozen=True)
class Tool:
    """A function that the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of the arguments."""

    def as_json(self) -> JSON:
        """The part of the tool that is counted as input."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }


@dataclass(frozen=True, kw_only=True)
class Question:
    """One valid request to generate."""

    model: str = ""
    messages: tuple[Message, ...] = ()
    stream: bool = False
    usage_wanted: bool = True
    """False in a Chat Completions stream that did not ask for its usage."""
    output_cap: int | None = None
    """The most tokens that the answer may have."""
    input_tokens: int = 0
    tools: tuple[Tool, ...] = ()
    searches_max: int = 0
    """How often the model may search the web while it answers."""
    must_call: str | None = None
    """The function that the request forces the model to call."""
    json_wanted: bool = False
    """The answer is to be a JSON object."""
    answer_schema: Mapping[str, Any] | None = None
    """JSON schema that the answer is to follow."""

    @property
    def prompt(self) -> str:
        """The text of all messages."""
        return "\n".join(message.text for message in self.messages)

    def tool(self, name: str) -> Tool | None:
        """The tool of that name, if the request offers it."""
        return next((tool for tool in self.tools if tool.name == name), None)
