"""Amazon's client as metered calls use it: its code in a thread, its requests on the event loop.

It is synchronous. In a thread, it would go on after its deadline, on connections that nobody
watches. So it puts requests together, signs them and reads what came back. What it hands over
before it sends is sent on the loop, as those of all vendors are.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar, copy_context
from copy import copy
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

from thrifty.models.wire import connection_pool
from thrifty.models.wire.background_loop import BackgroundLoop, CallAbandoned, background_loop
from thrifty.models.wire.worker_threads import WorkerThreads

SERVICE = "bedrock-runtime"
OPERATIONS = ("Converse", "ConverseStream")
RETRIES = f"retry-config-{SERVICE}"
"""How the client names its own retries, among what happens to a request."""
THREADS_MAX = 64
"""So many calls are under way at once. Others wait for their turn."""
STREAM_TYPE = "application/vnd.amazon.eventstream"
END = object()

_call: ContextVar["_Call"] = ContextVar("thrifty_bedrock_call")


class BedrockOnLoop:
    """A chat model of langchain-aws, asked as those are that have an asynchronous client.

    Args:
        model: the model, as its owner made it. It is left as it is.
    """

    def __init__(self, model: Any) -> None:
        self._model = model.model_copy(update={"client": _own_client(model.client)})
        self._pool = _connections(model.client)

    def body(self, messages: list[Any], **options: Any) -> dict[str, Any]:
        """What it would send, as arguments of its client."""
        sent: dict[str, Any] = {}

        def note(**given: Any) -> None:
            sent.update(given)
            raise _AboutToAsk

        client = SimpleNamespace(converse=note)
        with suppress(_AboutToAsk):
            self._model.model_copy(update={"client": client})._generate(messages, **options)
        return sent

    async def _agenerate(self, messages: list[Any], **options: Any) -> Any:
        call = _Call(self._pool, self._model.client)
        try:
            return await call.run(partial(self._model._generate, messages, **options))
        finally:
            call.end()

    async def _astream(self, messages: list[Any], **options: Any) -> AsyncIterator[Any]:
        call, pieces = _Call(self._pool, self._model.client), asyncio.Queue[Any]()
        loop = asyncio.get_running_loop()

        def read() -> None:
            for piece in self._model._stream(messages, **options):
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        reading = asyncio.ensure_future(call.run(read))
        reading.add_done_callback(lambda _: pieces.put_nowait(END))
        try:
            while (piece := await pieces.get()) is not END:
                yield piece
            await reading
        finally:
            call.end()
            reading.cancel()

    def _get_ls_params(self, **options: Any) -> Any:
        return self._model._get_ls_params(**options)


class _AboutToAsk(Exception):
    """The client was about to send."""


class _Call:
    """One call of the client's in a thread, whose requests are sent on this event loop."""

    def __init__(self, pool: Any, client: Any) -> None:
        self._loop, self._pool = asyncio.get_running_loop(), pool
        self._timeout = _timeout(client.meta.config)
        self._lock, self._is_over = Lock(), False
        self._waited_for: Any = None
        self._response: Any = None

    async def run(self, act: Callable[[], Any]) -> Any:
        """Does something with the client in a thread."""
        context = copy_context()
        context.run(_call.set, self)
        return await self._loop.run_in_executor(_threads(background_loop()), context.run, act)

    def end(self) -> None:
        """Ends what it still waits for. Nothing more is sent."""
        with self._lock:
            self._is_over = True
        if self._waited_for is not None:
            self._waited_for.cancel()
        if self._response is not None:
            closing = self._loop.create_task(self._response.aclose())
            closing.add_done_callback(lambda done: done.cancelled() or done.exception())

    def send(self, request: Any) -> Any:
        """In the thread: sends a request, and returns the response as the client has it."""
        return self._on_loop(self._exchange(request))

    def _on_loop(self, waiting: Any) -> Any:
        with self._lock:
            if self._is_over:
                waiting.close()
                raise CallAbandoned("nobody waits for it any more")
            self._waited_for = asyncio.run_coroutine_threadsafe(waiting, self._loop)
        return self._waited_for.result()

    async def _exchange(self, request: Any) -> Any:
        sent = self._pool.build_request(
            request.method,
            request.url,
            headers={name: _text(value) for name, value in request.headers.items()},
            content=request.body,
            timeout=self._timeout,
        )
        response = self._response = await self._pool.send(sent, stream=True)
        is_stream = response.headers.get("content-type", "").startswith(STREAM_TYPE)
        body = self._pieces(response) if is_stream else iter([await response.aread()])
        raw = SimpleNamespace(stream=lambda *_, **__: body, close=lambda: None)
        answer = import_module("botocore.awsrequest").AWSResponse
        return answer(request.url, response.status_code, response.headers, raw)

    def _pieces(self, response: Any) -> Iterator[bytes]:
        """In the thread: what comes of a stream."""
        pieces = response.aiter_bytes()
        while piece := self._on_loop(_next(pieces)):
            yield piece


async def _next(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces, b"")


@cache
def _threads(loop: BackgroundLoop) -> WorkerThreads:
    """Those of a process: a fork has a loop of its own, and none of its parent's threads."""
    return WorkerThreads("thrifty-bedrock", THREADS_MAX)


def _own_client(client: Any) -> Any:
    """A copy of a client that hands requests over, each once."""
    own = object.__new__(type(client))
    own.__dict__.update(client.__dict__)
    events = copy(client.meta.events)
    events.unregister(f"needs-retry.{SERVICE}", unique_id=RETRIES)
    for operation in OPERATIONS:  # the last one to see it, with all headers
        events.register_last(f"before-send.{SERVICE}.{operation}", _hand_over)
    own.meta, own._endpoint = copy(client.meta), copy(client._endpoint)
    own.meta.events = own._endpoint._event_emitter = events
    return own


def _hand_over(request: Any, **_: Any) -> Any:
    return _call.get().send(request)


def _connections(client: Any) -> Any:
    """The connections of this process, by proxies and certificates of the client's."""
    scheme = client.meta.endpoint_url.partition(":")[0]
    proxy = (client.meta.config.proxies or {}).get(scheme, "")
    return _connections_on(background_loop(), client._endpoint.http_session._verify, proxy)


@cache
def _connections_on(loop: BackgroundLoop, verify: bool | str, proxy: str) -> Any:
    settings: dict[str, Any] = {"proxy": proxy} if proxy else {}
    if isinstance(verify, str):
        is_folder = Path(verify).is_dir()
        settings["verify"] = ssl.create_default_context(
            cafile=None if is_folder else verify, capath=verify if is_folder else None
        )
    elif not verify:
        settings["verify"] = False
    return connection_pool.connections("httpx", "AsyncClient", settings=settings)


def _timeout(config: Any) -> Any:
    """How long to wait for a byte, and for a connection."""
    return import_module("httpx").Timeout(config.read_timeout, connect=config.connect_timeout)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def client_certificate(client: Any) -> Any:
    """The certificate with which a client presents itself; None without."""
    given: Mapping[str, Any] = client.meta.config.__dict__
    return given.get("client_cert")
