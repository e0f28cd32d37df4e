"""Where one request is answered: what a behaviour can do to its client."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from time import monotonic

from tests.harness.llm_server import http
from tests.harness.llm_server.dialect import STREAM_TYPES, Dialect, Event
from tests.harness.llm_server.journal import Journal, Request
from tests.harness.llm_server.question import JSON
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.usage import Bill
from tests.harness.llm_server.wire import Wire


class Stage:
    """One request, its API, its connection and its record."""

    def __init__(
        self, request: Request, wire: Wire, journal: Journal, dialect: Dialect | None = None
    ) -> None:
        self.request = request
        self.wire = wire
        self._journal = journal
        self._dialect = dialect
        self.is_finished = False

    @property
    def dialect(self) -> Dialect:
        """The API of the request."""
        assert self._dialect is not None, "a request that was refused has no API"
        return self._dialect

    def bill(self, bill: Bill) -> None:
        """Record what the request costs, all told."""
        self._journal.update(self.request.number, bill=bill)

    def finish(self, *, completed: bool) -> None:
        """Record that no more is sent.

        Called before the last bytes go out, so that a client that has them finds it recorded.
        """
        self.is_finished = True
        self._journal.update(self.request.number, completed=completed, ended_at_s=monotonic())

    def head(self, status: int, headers: Mapping[str, str]) -> bytes:
        """The head of the answer; its status is recorded."""
        self._journal.update(self.request.number, status=status)
        common = {"x-request-id": f"req_{self.request.number:06d}", "openai-version": "2020-10-01"}
        return http.head(status, {**common, **headers})

    def json_head(self, status: int, length_bytes: int, headers: Mapping[str, str]) -> bytes:
        """The head of an answer in JSON."""
        kind = {"content-type": "application/json", "content-length": str(length_bytes)}
        return self.head(status, {**kind, **headers})

    def stream_head(self, headers: Mapping[str, str] | None = None) -> bytes:
        """The head of a stream, or of a body without end."""
        kind = "application/json"
        if self.request.stream:
            kind = STREAM_TYPES.get(self.dialect.api, "text/event-stream; charset=utf-8")
        return self.head(
            200, {"content-type": kind, "transfer-encoding": "chunked", **(headers or {})}
        )

    async def send_json(
        self, status: int, payload: JSON | list[JSON], headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole JSON answer."""
        await self.send_body(status, json.dumps(payload).encode(), headers or {})

    async def send_body(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a whole answer, which is JSON unless the headers say otherwise."""
        head = self.json_head(status, len(body), headers)
        self.finish(completed=True)
        await self.wire.write(head + body)

    async def send(self, reply: Reply) -> None:
        """Send the reply as the request asked for it."""
        if not self.request.stream:
            return await self.send_json(200, self.dialect.whole(reply), reply.headers)
        *events, last = self.dialect.events(reply)
        await self.wire.write(self.stream_head(reply.headers))
        await self.send_events(reply, events)
        # Clients turn away at the last event, without waiting for the end of the body.
        self.finish(completed=True)
        await self.wire.write(self.chunk(last, len(events)) + http.LAST_CHUNK)

    async def send_events(self, reply: Reply, events: Sequence[Event]) -> None:
        """Send the first events of a stream, each piece of the answer at its pace."""
        for number, event in enumerate(events):
            if event.is_piece and reply.chunk_delay_ms:
                await asyncio.sleep(reply.chunk_delay_ms / 1000)
            await self.wire.write(self.chunk(event, number))

    def chunk(self, event: Event, number: int) -> bytes:
        """An event of a stream, ready for the wire; `number` counts from 0."""
        return http.chunk(self.dialect.frame(event, number))
