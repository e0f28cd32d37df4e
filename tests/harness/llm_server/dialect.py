"""What an API has to be able to do: read a question, write an answer whole or as a stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Api
from tests.harness.llm_server.question import JSON, Question
from tests.harness.llm_server.reply import Reply

CREATED_AT_S = 1_767_225_600
"""When every answer says that it was made: 2026-01-01, so that two runs agree to the byte."""
STREAM_TYPES = {"ollama": "application/x-ndjson", "bedrock": "application/vnd.amazon.eventstream"}
"""What a stream is called by an API that does not send events."""


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    data: JSON | None
    """None is the mark that ends the stream."""
    is_piece: bool = False
    """It carries a piece of the answer."""


def beginning(events: Sequence[Event], pieces: int) -> Sequence[Event]:
    """The events up to that many pieces of the answer.

    Of an answer that has fewer, what follows its last piece is left out all the same.
    """
    places = [place for place, event in enumerate(events) if event.is_piece]
    if not places:
        return events[:1]
    return events[: places[:pieces][-1] + 1] if pieces else events[: places[0]]


class Dialect(Protocol):
    """One of the APIs."""

    @property
    def api(self) -> Api:
        """Its name in the records."""
        ...

    def read(self, body: JSON) -> Question:
        """The question in a request's body.

        Raises:
            Refused: the request is not valid.
        """
        ...

    def whole(self, reply: Reply) -> JSON:
        """The body that answers a request without a stream."""
        ...

    def events(self, reply: Reply) -> Sequence[Event]:
        """The stream that answers a request."""
        ...

    def error(self, refused: Refused) -> JSON:
        """The object that a client gets in place of an answer."""
        ...

    def frame(self, event: Event, number: int) -> bytes:
        """An event as it is sent; `number` counts from 0."""
        ...
