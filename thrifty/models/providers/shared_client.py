"""Clients of httpx that keep their address and headers, on the connections of the process."""

import asyncio
from importlib import import_module
from typing import Any

from thrifty.models.wire import connection_pool
from thrifty.models.wire.bounded_body import ENCODINGS

LIBRARY = "httpx"
EVENTS = "text/event-stream"


def shared_client(client: Any) -> Any:
    """A client like another one, whose requests go out on the connections that all calls share.

    Args:
        client: an `httpx.AsyncClient`, which is left as it is.
    """
    headers = client.headers.copy()
    # What packs better is unpacked by nobody in pieces.
    headers["accept-encoding"] = ", ".join(ENCODINGS)
    http = import_module(LIBRARY)
    return _client_class(http.AsyncClient)(
        base_url=client.base_url,
        headers=headers,
        auth=client.auth,
        params=client.params,
        cookies=client.cookies,
        timeout=client.timeout,
        follow_redirects=client.follow_redirects,
        event_hooks=client.event_hooks,
        transport=_transport(http.AsyncBaseTransport),
    )


def _client_class(base: Any) -> Any:
    """The library's client, with large answers parsed before anybody asks what they say: beside the
    loop, which keeps the deadlines of all calls."""

    class SharedClient(base):  # type: ignore[misc]
        async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
            response = await super().send(request, stream=stream, **options)
            if not stream and len(response.content) > connection_pool.PARSED_HERE_BYTES_MAX:
                await asyncio.to_thread(_keep_parsed, response)
            return response

    return SharedClient


def _keep_parsed(response: Any) -> None:
    """Has an answer say at once what it holds. What cannot be parsed is refused when asked."""
    try:
        parsed = response.json()
    except (ValueError, RecursionError):
        return
    response.json = lambda: parsed


def _transport(base: Any) -> Any:
    """A transport of the library's own kind, as it takes no other, on the shared connections."""

    class SharedTransport(base):  # type: ignore[misc]
        _pool = connection_pool.connections(LIBRARY, "AsyncClient")

        async def handle_async_request(self, request: Any) -> Any:
            response = await self._pool.send(request, stream=True)
            wants, has = request.headers.get("accept", ""), response.headers.get("content-type", "")
            if EVENTS in wants and EVENTS not in has:
                # Who reads events reads nothing else: so that what it says is seen on the wire.
                await response.aread()
            return response

    return SharedTransport()
