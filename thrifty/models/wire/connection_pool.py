"""The connections of a process to its vendors, and how what comes back on them is parsed."""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from inspect import isawaitable
from types import MappingProxyType
from typing import Any

from thrifty.models.wire.background_loop import BackgroundLoop, background_loop
from thrifty.models.wire.bounded_body import ENCODINGS, bound_body
from thrifty.models.wire.exchange import note_departure
from thrifty.models.wire.redirects import refuse_redirect

PARSED_HERE_BYTES_MAX = 64 * 1024
"""A larger answer takes a thread less time than it would take from other calls."""


def connections(
    library: str,
    client: str = "DefaultAsyncHttpxClient",
    proxy: str = "",
    headers: Mapping[str, str] = MappingProxyType({}),
    settings: Mapping[str, Any] | None = None,
) -> Any:
    """One pool of connections for every model of a vendor, as all calls run on one loop.

    What is sent on it is noted when it leaves, and what comes back is bounded.

    Args:
        library: the vendor's own, or the HTTP library that its client is made with.
        client: what the library calls its client for HTTP.
        proxy: the address of one to go through. Empty: what the environment says.
        headers: what is sent with each request beside what its client names.
        settings: what else the client is to be made with. Such a pool is its model's alone.
    """
    loop = background_loop()
    if settings:
        return _open(loop, library, client, settings)
    return _connections_on(loop, library, client, proxy, tuple(sorted(headers.items())))


@cache
def _connections_on(
    loop: BackgroundLoop,
    library: str,
    client: str,
    proxy: str,
    headers: tuple[tuple[str, str], ...],
) -> Any:
    settings = {"headers": dict(headers), **({"proxy": proxy} if proxy else {})}
    return _open(loop, library, client, settings)


def _open(loop: BackgroundLoop, library: str, client: str, settings: Mapping[str, Any]) -> Any:
    hooks = settings.get("event_hooks") or {}
    ours: dict[str, list[Any]] = {
        "request": [note_departure],
        "response": [refuse_redirect, bound_body],
    }
    # What packs better is unpacked by nobody in pieces.
    headers = {**(settings.get("headers") or {}), "accept-encoding": ", ".join(ENCODINGS)}
    both = {kind: [*hooks.get(kind, ()), *ours[kind]] for kind in ours}
    pool = getattr(import_module(library), client)(
        **{**settings, "headers": headers, "event_hooks": both}
    )
    loop.close_at_exit(pool.aclose)
    return pool


def http_errors(pool: Any) -> tuple[type[Exception], ...]:
    """What a request on a pool of connections may end with, but for faults of our own."""
    base = next(base for base in type(pool).__mro__ if base.__name__ == "AsyncClient")
    library = import_module(base.__module__.partition(".")[0])
    return library.HTTPError, library.InvalidURL, library.StreamError, OSError, ValueError


def connect(client: Any, pool: Any = None) -> Any:
    """A client of a vendor's like another one, for calls of which each is one request.

    Args:
        client: as its owner made it. It is left as it is, with its retries.
        pool: the connections to use. None: those of the client.
    """
    options = {} if pool is None else {"http_client": pool}
    connected = client.with_options(max_retries=0, **options)
    connected._process_response = partial(parse_beside, connected._process_response)
    return connected


async def parse_beside(process: Callable[..., Any], **given: Any) -> Any:
    """Parses a large answer in a thread: the event loop is that of all calls.

    Who asked for it finds it parsed, since the client keeps what it has parsed.
    """
    response = await process(**given)
    parse = getattr(response, "parse", None)
    if parse is None or given["stream"]:
        return response
    if len(await response.http_response.aread()) > PARSED_HERE_BYTES_MAX:
        await asyncio.to_thread(_parse, parse)
    return response


def _parse(parse: Callable[[], Any]) -> None:
    parsed = parse()
    if isawaitable(parsed):  # of what was read already: there is nothing that it waits for
        asyncio.run(_wait_for(parsed))


async def _wait_for(parsed: Any) -> None:
    await parsed
