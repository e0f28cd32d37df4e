"""Google's client as metered calls use it: one request for each, watched, and its count kept.

By itself it would ask again for the rest of an answer that stopped at a limit of the server's.
LangChain throws away a part of its counts. So LangChain is given a thin copy of it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from copy import copy
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.models.wire import connection_pool

LIBRARY = "google.genai"
CLEANUP = "_client_cleanup"
"""What closes a model's client with it, on the loop on which it was used first."""

_count: ContextVar[Any] = ContextVar("thrifty_google_count", default=None)


def on_own_client(model: Any) -> Any:
    """A copy of a model, on a copy of its client with connections of this process.

    The owner's client is left as it is.
    """
    known = model.client._api_client
    made = type(known._async_httpx_client)
    pool = connection_pool.connections(made.__module__, made.__name__, settings=model.client_args)
    api = copy(known)
    # What is handed over is not closed when the copy is let go.
    handed = {"httpx_async_client": pool, "httpx_client": known._httpx_client}
    api._http_options = known._http_options.model_copy(update=handed)
    api._async_httpx_client = pool
    # It has no way to be closed: other models use the same connections.
    client = SimpleNamespace(aio=SimpleNamespace(models=_ModelsAlone(api)))
    connected = model.model_copy(update={"client": client})
    # With the owner's, their client would be bound to this loop.
    setattr(connected, CLEANUP, type(getattr(connected, CLEANUP))(client))
    return connected


def body_of(model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the client would send, by its own code, which is stopped before it does.

    Args:
        model: what `on_own_client` made.
        asked: what LangChain asks the client.

    Raises:
        InvalidInput: it would ask others first.
    """
    body: dict[str, Any] = model.client.aio.models.body(**asked)
    return body


def last_count() -> Any:
    """The last count of the call in this context, as the client read it; None without."""
    return _count.get()


class _ModelsAlone:
    """The client's models, with the methods that LangChain asks."""

    def __init__(self, api: Any) -> None:
        self._api = api

    async def generate_content(self, *, config: Any, **asked: Any) -> Any:
        _count.set(None)
        asked["config"] = _alone(config)
        received = await self._api.async_request(*_rehearse(self._api, asked))
        read = partial(_Rehearsal(self._api, received).play, asked)
        is_large = len(received.body or "") > connection_pool.PARSED_HERE_BYTES_MAX
        answer = await asyncio.to_thread(read) if is_large else read()
        _count.set(answer.usage_metadata)
        if not (answer.candidates or answer.prompt_feedback or answer.usage_metadata):
            raise ValueError("nothing that is an answer")  # else LangChain makes an empty one of it
        return answer

    async def generate_content_stream(self, *, config: Any, **asked: Any) -> AsyncIterator[Any]:
        _count.set(None)
        asking = _models(self._api).generate_content_stream(config=_alone(config), **asked)
        return _note_counts(await asking)

    def body(self, *, config: Any, **asked: Any) -> dict[str, Any]:
        _, _, body, *_ = _rehearse(self._api, {**asked, "config": _alone(config)})
        return {field: body[field] for field in body if not field.startswith("_")}


class _Rehearsal:
    """A call of the client's own code without its connections.

    So it says what it would send, and what it makes of an answer that was received.
    """

    def __init__(self, api: Any, received: Any = None) -> None:
        self._api, self._received = copy(api), received
        self._api.async_request = self._exchange
        self.sent: tuple[Any, ...] | None = None

    def play(self, asked: Mapping[str, Any]) -> Any:
        """Calls it, and returns what it makes of the answer; None where there is none."""
        asking = _models(self._api).generate_content(**asked)
        try:
            asking.send(None)
        except StopIteration as made:
            return made.value
        except _Stopped:
            return None
        finally:
            asking.close()
        raise InvalidInput("tools", "a session of MCP", "bind its tools")  # it waits for that

    async def _exchange(self, *sent: Any) -> Any:
        is_first, self.sent = self.sent is None, sent
        if is_first and self._received is not None:
            return self._received
        raise _Stopped


class _Stopped(Exception):
    """The client was about to send."""


def _rehearse(api: Any, asked: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the client would send: method, path, body and options."""
    rehearsal = _Rehearsal(api)
    rehearsal.play(asked)
    assert rehearsal.sent is not None, "it has stopped as it was about to send"
    return rehearsal.sent


async def _note_counts(stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for piece in stream:
        if piece.usage_metadata is not None:
            _count.set(piece.usage_metadata)
        yield piece


def _models(api: Any) -> Any:
    return import_module(f"{LIBRARY}.models").AsyncModels(api)


def _alone(config: Any) -> Any:
    """The settings of a call by which the client sends one request for it."""
    return config.model_copy(update={"automatic_continuation": False})
