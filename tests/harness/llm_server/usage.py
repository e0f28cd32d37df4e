"""What a request uses: the input that is counted, and the bill.

Input tokens are counted alike on the APIs of OpenAI, with o200k:

- the text of every message, and TOKENS_PER_MESSAGE for its role and delimiters; the calls that an
  assistant made count as their name and arguments; a part that is no text counts as its JSON;
- TOKENS_PER_REPLY once a request;
- each tool as the compact JSON of its name, description and parameters;
- the schema of a structured answer as its compact JSON.
"""

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from operator import add

from tests.harness.llm_server import tokens
from tests.harness.llm_server.question import Message, Tool

TOKENS_PER_MESSAGE = 4
TOKENS_PER_REPLY = 3


@dataclass(frozen=True)
class Bill:
    """What a provider charges for, in tokens; bills add up."""

    input_tokens: int = 0
    output_tokens: int = 0
    """Everything generated, the reasoning included."""
    reasoning_tokens: int = 0
    """The part of the output that was reasoning."""
    cached_input_tokens: int = 0
    """The part of the input that was read from the cache."""
    written_input_tokens: int = 0
    """The part of the input that was written to it."""
    audio_input_tokens: int = 0
    """The part of the input that was sound."""
    audio_output_tokens: int = 0
    """The part of the output that is."""
    written_1h_input_tokens: int = 0
    """The part of the input that was written to the cache for an hour, beside the other."""
    searches: int = 0
    """How often the model searched the web, which has a fee."""

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(*map(add, astuple(self), astuple(other)))

    @property
    def total_tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens


def input_tokens(
    messages: Iterable[Message], tools: Iterable[Tool] = (), answer_schema: object = None
) -> int:
    """The input of one request, counted as the head of this file says."""
    total = TOKENS_PER_REPLY
    total += sum(TOKENS_PER_MESSAGE + tokens.count(message.text) for message in messages)
    total += sum(tokens.count(compact(tool.as_json())) for tool in tools)
    if answer_schema is not None:
        total += tokens.count(compact(answer_schema))
    return total


def compact(value: object) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
