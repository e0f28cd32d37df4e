"""One client's connection: read a request, find who answers it, watch whether the client leaves."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from tests.harness.llm_server import http
from tests.harness.llm_server.dialect import Dialect
from tests.harness.llm_server.errors import Refused
from tests.harness.llm_server.journal import Journal, Request
from tests.harness.llm_server.routes import Routes, parsed
from tests.harness.llm_server.script import Script
from tests.harness.llm_server.stage import Stage
from tests.harness.llm_server.wire import Wire

Answering = Coroutine[Any, Any, None]


@dataclass(frozen=True)
class House:
    """What all connections of a server share."""

    script: Script
    journal: Journal
    routes: Routes


class Connection:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, wire: Wire, house: House) -> None:
        self._reader = reader
        self._wire = wire
        self._house = house
        self._early = b""  # The first byte of a next request, if it came during an answer.

    async def serve(self) -> None:
        """Answer one request after the other until the client or a fault ends it."""
        try:
            while await self._exchange():
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client is gone; its record says how far the answer got.
        except http.BadHttp as bad:
            with contextlib.suppress(ConnectionError):
                await self._wire.write(http.head(bad.status, {"connection": "close"}))
                await self._wire.close()
        except Exception as failure:  # noqa: BLE001
            # A mistake in the server or in a script's function. Nobody sees this thread's errors,
            # so it waits for whoever stops the server.
            self._house.journal.fail(failure)
        finally:
            self._wire.drop()

    async def _exchange(self) -> bool:
        """One request and its answer; False when it was the last."""
        head = await http.read_head(self._reader, self._early)
        if head is None:
            return False
        if head.expects_continue:
            await self._wire.write(http.CONTINUE)
        body = await http.read_body(self._reader, head)
        arrived = Request(
            number=self._house.journal.next_number(),
            method=head.method,
            path=head.path,
            headers=head.headers,
            received_at_s=monotonic(),
        )
        stage, answering = self._answering(arrived, head, body)
        try:
            stayed = await self._while_client_stays(answering)
        finally:
            if not stage.is_finished:
                stage.finish(completed=False)
        return stayed and head.keeps_alive and not self._wire.is_closed

    def _answering(self, request: Request, head: http.Head, body: bytes) -> tuple[Stage, Answering]:
        """The request's place in the records, and what answers it."""
        routes = self._house.routes
        try:
            dialect = routes.dialect(head)
            if dialect is None:
                listed = routes.models_listed(head)
                stage = self._open(replace(request, api="models", played="Models"))
                return stage, stage.send_json(200, listed)
            request = replace(request, api=dialect.api, body=parsed(body))
            question = routes.question(dialect, dict(request.body))
        except Refused as refused:
            stage = self._open(replace(request, played="Refused"))
            return stage, stage.send_json(refused.status, routes.error(head, refused))
        return self._played(replace(request, **vars(question)), dialect)

    def _played(self, request: Request, dialect: Dialect) -> tuple[Stage, Answering]:
        """What the script has for a valid request, on the bill before a byte is sent."""
        behaviour = self._house.script.pick(request)
        reply = behaviour.reply(request)
        bill = behaviour.bill(reply)
        stage = self._open(replace(request, played=behaviour.title, bill=bill), dialect)
        return stage, behaviour.perform(stage, reply)

    def _open(self, request: Request, dialect: Dialect | None = None) -> Stage:
        self._house.journal.open(request)
        return Stage(request, self._wire, self._house.journal, dialect)

    async def _while_client_stays(self, answering: Answering) -> bool:
        """Run until it is done; stop it and return False as soon as the client leaves."""
        answer = asyncio.create_task(answering)
        leaving = asyncio.create_task(self._reader.read(1))
        try:
            await asyncio.wait({answer, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and not leaving.result():
                return False
            await answer
            return True
        finally:
            answer.cancel()
            leaving.cancel()
            await asyncio.gather(answer, leaving, return_exceptions=True)
            came = not leaving.cancelled() and leaving.exception() is None
            self._early = leaving.result() if came else b""
