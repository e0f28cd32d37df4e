"""Answers that are slow, or without end."""

import asyncio
import json
from dataclasses import dataclass, replace
from itertools import count

from tests.harness.llm_server import http, tokens
from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage
from tests.harness.llm_server.usage import Bill


@dataclass(frozen=True, kw_only=True)
class Hang(Behaviour):
    """Takes the request and never sends a byte."""

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send nothing."""
        await stage.wire.hang()


@dataclass(frozen=True, kw_only=True)
class HeaderDrip(Behaviour):
    """Sends the head byte by byte, then the rest."""

    interval_ms: int = 50

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Drip the head."""
        head, body, end = _rendered(stage, reply)
        await stage.wire.drip(head, self.interval_ms)
        stage.finish(completed=True)
        await stage.wire.write(body + end)


@dataclass(frozen=True, kw_only=True)
class BodyDrip(Behaviour):
    """Sends the head, then the body byte by byte."""

    interval_ms: int = 50

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Drip the body."""
        head, body, end = _rendered(stage, reply)
        await stage.wire.write(head)
        await stage.wire.drip(body, self.interval_ms)
        stage.finish(completed=True)
        await stage.wire.drip(end, self.interval_ms)


@dataclass(frozen=True, kw_only=True)
class KeepAlives(Behaviour):
    """Sends the head and then signs of life for ever: comments, or spaces before a JSON."""

    interval_ms: int = 20

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send no answer."""
        await stage.wire.write(stage.stream_head())
        sign = http.chunk(b": keep-alive\n\n" if stage.request.stream else b" ")
        while True:
            await stage.wire.write(sign)
            await asyncio.sleep(self.interval_ms / 1000)


@dataclass(frozen=True, kw_only=True)
class EndlessStream(Behaviour):
    """Streams the first piece of the answer for ever, and bills each; not streamed: KeepAlives."""

    interval_ms: int = 5

    def bill(self, reply: Reply) -> Bill:
        """What is spent before the first piece."""
        if not reply.request.stream:
            return super().bill(reply)
        begun = replace(reply.bill, output_tokens=reply.bill.reasoning_tokens)
        return super().bill(replace(reply, bill=begun))

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send pieces until the client leaves."""
        events = stage.dialect.events(reply)
        first = next((n for n, event in enumerate(events) if event.is_piece), None)
        if not stage.request.stream or first is None:
            return await KeepAlives(interval_ms=self.interval_ms).send(stage, reply)
        await stage.wire.write(stage.stream_head())
        spent = tokens.count(next(part.pieces[0] for part in reply.parts if part.pieces))
        for number in count():
            event = events[min(number, first)]
            output = reply.bill.reasoning_tokens + spent * max(0, number - first + 1)
            if self.billed:
                stage.bill(replace(reply.bill, output_tokens=output))
            await stage.wire.write(stage.chunk(event, number))
            await asyncio.sleep(self.interval_ms / 1000)


def _rendered(stage: Stage, reply: Reply) -> tuple[bytes, bytes, bytes]:
    """The honest answer as bytes: head, body, and that end of the body which completes it."""
    if not stage.request.stream:
        body = json.dumps(stage.dialect.whole(reply)).encode()
        return stage.json_head(200, len(body), {}), body[:-1], body[-1:]
    events = enumerate(stage.dialect.events(reply))
    *chunks, last = [stage.chunk(event, number) for number, event in events]
    return stage.stream_head(), b"".join(chunks), last + http.LAST_CHUNK
