"""HTTP/1.1 as far as this server needs it: read a request, write heads and chunks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadHttp(Exception):
    """Bytes that are no HTTP request, or one that is too large."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Head:
    """A request line and its headers, with names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def expects_continue(self) -> bool:
        """The client waits for a go before it sends the body."""
        return self.headers.get("expect", "").lower() == "100-continue"

    @property
    def keeps_alive(self) -> bool:
        """The client may send another request on this connection."""
        return self.headers.get("connection", "").lower() != "close"


async def read_head(reader: asyncio.StreamReader, begun: bytes = b"") -> Head | None:
    """The next request's head; `begun` are bytes of it already read.

    Returns:
        None when the client closed the connection between two requests.

    Raises:
        BadHttp: what came is no request.
    """
    try:
        raw = begun + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as cut:
        if not begun + cut.partial:
            return None
        raise BadHttp("the connection ended inside a request's head") from cut
    except asyncio.LimitOverrunError as overrun:
        raise BadHttp("the request's head is too large", status=431) from overrun
    lines = raw.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadHttp(f"not a request line: {lines[0]!r}")
    pairs = (line.split(":", 1) for line in lines[1:] if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return Head(words[0], words[1].split("?")[0], headers)


async def read_body(reader: asyncio.StreamReader, head: Head) -> bytes:
    """The body that goes with the head.

    Raises:
        BadHttp: its length is wrong or too large.
    """
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader)
    return await reader.readexactly(_length(head.headers.get("content-length", "0"), 10))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while length := _length((await reader.readline()).decode("latin-1").split(";")[0], 16):
        body += await reader.readexactly(length)
        await reader.readexactly(2)
        _length(str(len(body)), 10)
    while (await reader.readline()).strip():
        pass
    return body


def _length(digits: str, base: int) -> int:
    try:
        length = int(digits, base)
    except ValueError:
        raise BadHttp(f"not a length: {digits!r}") from None
    if not 0 <= length <= BODY_BYTES_MAX:
        raise BadHttp("the request's body is too large", status=413)
    return length


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """The head of an answer."""
    known = status in HTTPStatus._value2member_map_  # 529 is no standard's
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase if known else 'Unknown'}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of a body whose length is not known before."""
    return b"%x\r\n%b\r\n" % (len(data), data)
