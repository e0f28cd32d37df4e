"""What happens on the wire to one request: whether it has left, and what came back for it.

What never left this machine costs nothing. The transport says so as it writes the first byte, and
not the class of an error: an address without a scheme, a key with a newline, a hook that raises and
a server that takes no connection all end before that.

A server, or what stands before it, may send a web page or an error with the status of an answer,
and say in a header what a call has cost. A client tells of neither. So the beginning of what comes
back is kept beside the call.
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
BODY_BYTES_MAX = 8 * 1024 * 1024
"""Of a whole answer, or of one event of a stream. The longest texts there are take half of it, with
every character escaped."""
HEAD_BYTES_MAX = 16 * 1024
"""No error is longer."""

_exchange: ContextVar["Exchange | None"] = ContextVar("thrifty_exchange", default=None)


class Exchange:
    """One request on its way to the wire, and what has come back for it."""

    def __init__(self) -> None:
        self.has_left = False
        """Whether a byte of the request was written, or may have been."""
        self._is_held_back = False
        self.status = 0
        """Of the answer; 0 before there is one."""
        self.headers: Mapping[str, str] = {}
        """Of the answer."""
        self.request: Any = None
        """What was sent, as the HTTP library has it."""
        self.head = b""
        """How the answer's body begins, unpacked."""
        self.tail = b""
        """How it ends, so far."""
        self.body_bytes_max = BODY_BYTES_MAX
        """How long the answer's body can be, unpacked."""

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

    def begin_answer(self, response: Any) -> None:
        """Takes note of a response. One that leads on to another is forgotten."""
        self.status, self.headers = response.status_code, response.headers
        self.request, self.head, self.tail = response.request, b"", b""

    def keep(self, piece: bytes) -> None:
        """Keeps a piece of the answer's body, where it is near the beginning or the end."""
        if len(self.head) < HEAD_BYTES_MAX:
            self.head = (self.head + piece)[:HEAD_BYTES_MAX]
        self.tail = (self.tail + piece)[-HEAD_BYTES_MAX:]


@contextmanager
def watch_exchange() -> Iterator[Exchange]:
    """Watches the request that is sent in this context."""
    exchange = Exchange()
    token = _exchange.set(exchange)
    try:
        yield exchange
    finally:
        _exchange.reset(token)


def current_exchange() -> Exchange | None:
    """What is watched in this context."""
    return _exchange.get()


async def note_departure(request: Any) -> None:
    """Has whoever watches learn when a request leaves: a hook of the HTTP library's."""
    if exchange := _exchange.get():
        request.extensions = {**request.extensions, "trace": exchange.note}
