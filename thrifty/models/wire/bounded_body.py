"""Bodies of answers that are never larger than an answer can be, and are unpacked bit by bit.

A few megabytes can unpack to gigabytes. Whoever unpacks and parses them at once, on the event loop
that all calls share, holds up the deadlines of all. So what is too large is not read to its end.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from thrifty.models.wire.exchange import BODY_BYTES_MAX, Exchange, current_exchange

PIECE_BYTES = 64 * 1024
ENCODINGS = ("gzip", "deflate")
"""What is asked for, and can be unpacked in pieces."""
EVENTS = {
    "text/event-stream": b"\n",
    "application/x-ndjson": b"\n",
    "application/vnd.amazon.eventstream": b":message-type",
}
"""The types of streams, and what stands in each of their events."""
EITHER_HEADER = 47
"""For zlib: the header says whether it is gzip's or its own."""


class AnswerTooLarge(ValueError):
    """More was sent than an answer can be, or in a form that was not asked for."""


async def bound_body(response: Any) -> None:
    """Has the body of a response read within its bounds: a hook of the HTTP library's."""
    http = import_module(type(response).__module__.partition(".")[0])
    encodings = response.headers.get("content-encoding", "").lower().replace(" ", "")
    if encodings in ("", "identity"):
        decoder = None
    elif encodings in ENCODINGS:
        decoder = zlib.decompressobj(EITHER_HEADER)
        del response.headers["content-encoding"]
    else:
        raise AnswerTooLarge(f"an encoding that was not asked for: {encodings}")
    kind = response.headers.get("content-type", "")
    mark = next((EVENTS[told] for told in EVENTS if told in kind), b"")
    if (exchange := current_exchange()) is not None:
        exchange.begin_answer(response)
    bounded_stream = _bounded_stream_type(http.AsyncByteStream)
    response.stream = bounded_stream(response.stream, decoder, mark, exchange)


@cache
def _bounded_stream_type(base: Any) -> Any:
    """A class of the library's own kind, as it takes no other."""

    class BoundedStream(base):  # type: ignore[misc]
        def __init__(
            self, stream: Any, decoder: Any, mark: bytes, exchange: Exchange | None
        ) -> None:
            self._stream, self._decoder, self._mark = stream, decoder, mark
            self._exchange = exchange
            self._size_max = BODY_BYTES_MAX if exchange is None else exchange.body_bytes_max

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for raw in self._stream:
                for piece in _unpack(raw, self._decoder):
                    size += len(piece)
                    if self._mark and (end := piece.rfind(self._mark)) >= 0:
                        size = len(piece) - end
                    if size > self._size_max:
                        raise AnswerTooLarge("the answer is larger than any can be")
                    if self._exchange is not None:
                        self._exchange.keep(piece)
                    yield piece
                    # Others have their turn, however much there is in what was received.
                    await asyncio.sleep(0)

        async def aclose(self) -> None:
            await self._stream.aclose()

    return BoundedStream


def _unpack(raw: bytes, decoder: Any) -> Iterator[bytes]:
    """The pieces of what was received.

    Raises:
        AnswerTooLarge: it cannot be unpacked.
    """
    if decoder is None:
        yield raw
        return
    while raw:
        try:
            piece = decoder.decompress(raw, PIECE_BYTES)
        except zlib.error:
            raise AnswerTooLarge("an answer that cannot be unpacked") from None
        raw = decoder.unconsumed_tail
        if piece:
            yield piece
