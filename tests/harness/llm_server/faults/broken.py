"""Answers that are lost or broken on the way."""

import json
from dataclasses import dataclass

from tests.harness.llm_server import http
from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.dialect import beginning
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage


@dataclass(frozen=True, kw_only=True)
class TruncatedStream(Behaviour):
    """Ends after some pieces of the answer, without usage and without an end mark.

    A body that is not streamed ends in its middle.
    """

    after_chunks: int = 3
    """Pieces of the answer that the client gets."""
    cleanly: bool = True
    """The stream ends as HTTP says, so that many clients take it for whole."""

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send a part and end."""
        await _send_part(stage, reply, self.after_chunks)
        if not (stage.request.stream and self.cleanly):
            return await stage.wire.close()
        # HTTP is in order, so the connection stays: closed, it could fail the next request.
        stage.finish(completed=False)
        await stage.wire.write(http.LAST_CHUNK)


@dataclass(frozen=True, kw_only=True)
class ResetMidAnswer(Behaviour):
    """Breaks the connection after some pieces of the answer, or in the middle of a body."""

    after_chunks: int = 3
    """Pieces of the answer that the client gets."""

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send a part and break off."""
        await _send_part(stage, reply, self.after_chunks)
        await stage.wire.reset()


@dataclass(frozen=True, kw_only=True)
class Reset(Behaviour):
    """Takes the request and breaks the connection without a byte of answer."""

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Break off."""
        await stage.wire.reset()


@dataclass(frozen=True, kw_only=True)
class MalformedJson(Behaviour):
    """Sends half of the JSON as if it were whole; of a stream, half of one event, then the end."""

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send something that cannot be parsed."""
        if not stage.request.stream:
            half = _half(stage, reply)
            head = stage.json_head(200, len(half), {})
            stage.finish(completed=False)
            return await stage.wire.write(head + half)
        await stage.wire.write(stage.stream_head())
        events = stage.dialect.events(reply)
        await stage.send_events(reply, beginning(events, 1))
        stage.finish(completed=False)
        framed = stage.dialect.frame(events[0], 0)
        broken = framed[: len(framed) // 2] + b"\n\n"
        await stage.wire.write(http.chunk(broken) + http.LAST_CHUNK)


async def _send_part(stage: Stage, reply: Reply, after_chunks: int) -> None:
    """The beginning of the answer: some pieces of a stream, or half of a body."""
    if not stage.request.stream:
        half = _half(stage, reply)
        return await stage.wire.write(stage.json_head(200, 2 * len(half), {}) + half)
    await stage.wire.write(stage.stream_head())
    await stage.send_events(reply, beginning(stage.dialect.events(reply), after_chunks))


def _half(stage: Stage, reply: Reply) -> bytes:
    body = json.dumps(stage.dialect.whole(reply)).encode()
    return body[: len(body) // 2]
