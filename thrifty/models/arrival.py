"""What came back for a request, for whoever has to say why there is no answer.

A server, or what stands before it, may send a web page or an error with the status of an answer.
A client's exception does not tell. So the beginning of what arrives is kept beside the call.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

HEAD_BYTES_MAX = 16 * 1024
"""No error is longer."""

_arrival: ContextVar["Arrival | None"] = ContextVar("thrifty_arrival", default=None)


class Arrival:
    """What has come back for one request."""

    def __init__(self) -> None:
        self.status = 0
        """Of the answer; 0 before there is one."""
        self.headers: Mapping[str, str] = {}
        self.request: Any = None
        """What was sent, as the HTTP library has it."""
        self.head = b""
        """How the body begins, unpacked."""

    def begin(self, response: Any) -> None:
        """Takes note of a response. One that leads on to another is forgotten."""
        self.status, self.headers = response.status_code, response.headers
        self.request, self.head = response.request, b""

    def keep(self, piece: bytes) -> None:
        """Keeps a piece of the body, as far as there is room."""
        if len(self.head) < HEAD_BYTES_MAX:
            self.head = (self.head + piece)[:HEAD_BYTES_MAX]


@contextmanager
def watch_arrival() -> Iterator[Arrival]:
    """Watches what comes back for the request that is sent in this context."""
    arrival = Arrival()
    token = _arrival.set(arrival)
    try:
        yield arrival
    finally:
        _arrival.reset(token)


def current_arrival() -> Arrival | None:
    """What is watched in this context."""
    return _arrival.get()
