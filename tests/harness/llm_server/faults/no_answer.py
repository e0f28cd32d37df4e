"""What comes in the place of an answer, with or without the status of one."""

import json
from dataclasses import dataclass

from tests.harness.llm_server import http
from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.dialect import STREAM_TYPES, Event
from tests.harness.llm_server.errors import error_object
from tests.harness.llm_server.question import JSON
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage


@dataclass(frozen=True, kw_only=True)
class WebPage(Behaviour):
    """A page for people, such as that of a proxy or of a login."""

    status: int = 200
    heading: str = "Sign in"
    billed: bool = False

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send the page."""
        page = (
            f"<!DOCTYPE html><html><head><title>{self.heading}</title></head><body></body></html>"
        )
        headers = {"content-type": "text/html; charset=utf-8"}
        await stage.send_body(self.status, page.encode(), headers)


@dataclass(frozen=True, kw_only=True)
class ErrorForAnswer(Behaviour):
    """An error with the status of an answer, as gateways send it."""

    message: str = "No endpoints found for this model."
    kind: str = "invalid_request_error"
    code: str | int | None = None
    as_event: bool = False
    """In a stream, as its only event. Else as JSON, whatever was asked for."""
    after_chunks: int = 0
    """Pieces of an answer that come before it, in a stream."""
    beside: JSON | None = None
    """What else is in the body."""
    billed: bool = False

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send the error."""
        payload = {**(self.beside or {}), **self._error(stage)}
        if not (stage.request.stream and self.as_event):
            return await stage.send_json(200, payload)
        await stage.wire.write(stage.stream_head())
        await stage.send_events(reply, stage.dialect.events(reply)[: self.after_chunks])
        stage.finish(completed=True)
        event = f"data: {json.dumps(payload)}\n\n".encode()
        if stage.dialect.api in STREAM_TYPES:  # which has no events
            event = stage.dialect.frame(Event(payload), 0)
        await stage.wire.write(http.chunk(event) + http.LAST_CHUNK)

    def _error(self, stage: Stage) -> JSON:
        """An error as OpenAI writes it, which gateways do as well, or as Ollama does."""
        if stage.dialect.api == "ollama":
            return {"error": self.message}
        error = error_object(self.message, self.kind, None, None)
        error["error"]["code"] = self.code
        return error


@dataclass(frozen=True, kw_only=True)
class Redirect(Behaviour):
    """Sends its client on to another address."""

    location: str = "http://127.0.0.1:9/v1/elsewhere"
    status: int = 307
    billed: bool = False

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send it on."""
        await stage.send_json(self.status, {}, {"location": self.location})
