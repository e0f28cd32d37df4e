"""Whether a request has left this machine: what never did costs nothing.

The transport says so as it writes the first byte, and not the class of an error: an address without
a scheme, a key with a newline, a hook that raises and a server that takes no connection all end
before that.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

WRITES = "send_request_headers.started"
"""How the event ends by which the HTTP library says that it is about to write a request."""
FAILED_TO_WRITE = "send_request_headers.failed"
MALFORMED = "LocalProtocolError"
"""By name: what it raises where a request cannot be put into bytes, before it writes any."""
TO_PROXY = b"CONNECT"
"""The method of what it asks a proxy before it sends a request through it."""

_departure: ContextVar["Departure | None"] = ContextVar("thrifty_departure", default=None)


class Departure:
    """One request on its way to the wire."""

    def __init__(self) -> None:
        self.has_left = False
        """Whether a byte of it was written, or may have been."""
        self._is_held_back = False

    def hold_back(self) -> bool:
        """Whether nothing of it has left. Then nothing will, whatever its client still tries."""
        self._is_held_back = not self.has_left
        return self._is_held_back

    async def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Takes note of what the HTTP library does: its hook `trace`.

        Raises:
            ConnectionError: it is about to send what was held back.
        """
        if event.endswith(WRITES) and facts["request"].method != TO_PROXY:
            if self._is_held_back:
                raise ConnectionError("nobody waits for it any more")
            self.has_left = True
        elif event.endswith(FAILED_TO_WRITE) and type(facts["exception"]).__name__ == MALFORMED:
            self.has_left = False


@contextmanager
def watch_departure() -> Iterator[Departure]:
    """Watches the request that is sent in this context."""
    departure = Departure()
    token = _departure.set(departure)
    try:
        yield departure
    finally:
        _departure.reset(token)


async def note_departure(request: Any) -> None:
    """Has whoever watches learn when a request leaves: a hook of the HTTP library's."""
    if departure := _departure.get():
        request.extensions = {**request.extensions, "trace": departure.note}
