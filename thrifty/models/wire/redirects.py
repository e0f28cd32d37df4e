"""A redirect to another address is not followed: it would be sent the request, and perhaps the key.

What a deployment names is where its texts may go. Within that address a server may move things.
"""

from typing import Any

HTTPS = "https"
DEFAULT_PORTS = {"http": 80, "https": 443}


class SentElsewhere(ConnectionError):
    """A server wants its request to be sent to another address."""

    def __init__(self, address: str) -> None:
        self.address = address
        """Where to, in the server's words."""
        super().__init__("the server sends on to another address")


async def refuse_redirect(response: Any) -> None:
    """Lets no request be sent on to another address: a hook of the HTTP library's.

    Raises:
        SentElsewhere: it was about to be.
    """
    if not response.has_redirect_location:
        return
    here, there = response.request.url, response.request.url.join(response.headers["location"])
    if _place(here) == _place(there):
        return
    is_same_host = here.host == there.host
    is_made_safe = there.scheme == HTTPS and {_port(here), _port(there)} == {80, 443}
    if not (is_same_host and is_made_safe):
        raise SentElsewhere(f"{there.scheme}://{there.netloc.decode('ascii', 'replace')}")


def _place(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, _port(url)


def _port(url: Any) -> int | None:
    return DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port
