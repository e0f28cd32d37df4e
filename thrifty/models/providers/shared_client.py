"""Clients of httpx that keep their address and headers, on the connections of the process."""

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
    return http.AsyncClient(
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
