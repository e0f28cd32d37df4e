"""What can go wrong with a call, and what it is charged then: the same at every vendor.

`docs/metering.md` has this table for people, and a test holds the two together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness.llm_server import (
    Answer,
    Behaviour,
    ErrorForAnswer,
    ErrorStatus,
    Hang,
    KeepAlives,
    MalformedJson,
    MissingUsage,
    NegativeUsage,
    OverCap,
    Overloaded,
    Redirect,
    Reset,
    ResetMidAnswer,
    ServerError,
    TooManyRequests,
    TruncatedStream,
    Unauthorized,
    WebPage,
    ZeroUsage,
)
from tests.models.vendors.vendor_case import ALL, BILL, NOTHING, Options, VendorCase


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """One thing that goes wrong."""

    charged: str
    script: Callable[[], Answer | Behaviour] | None = None
    """What the server does. None: nothing reaches it."""
    options: Callable[[VendorCase], Options] = lambda vendor: {}
    """Arguments of the model."""
    text: str = "Tell me all."
    limits: Mapping[str, Any] = field(default_factory=dict)


def refused(status: int) -> Callable[[], Behaviour]:
    return lambda: ErrorStatus(status=status, kind="invalid_request_error", message="No.")


IN_TIME = {"max_latency_ms": 500}
WRONG = {
    "half a character in a text": Wrong(charged=NOTHING, text="tea \ud800"),
    "a newline in a header": Wrong(charged=NOTHING, options=lambda vendor: vendor.broken_header),
    "nobody at the address": Wrong(
        charged=NOTHING, options=lambda vendor: {"base_url": "http://127.0.0.1:9"}
    ),
    "400, 404, 413, 422: a request that it does not take": Wrong(
        charged=NOTHING, script=refused(400)
    ),
    "401, 403: a refused key": Wrong(charged=NOTHING, script=Unauthorized),
    "402: no credit": Wrong(charged=NOTHING, script=refused(402)),
    "429: too many requests": Wrong(
        charged=NOTHING, script=lambda: TooManyRequests(retry_after_s=600)
    ),
    "529: no room": Wrong(charged=NOTHING, script=Overloaded),
    "a redirect to another address": Wrong(charged=NOTHING, script=Redirect),
    "200 with a refusal and nothing else": Wrong(charged=NOTHING, script=ErrorForAnswer),
    "500: it failed": Wrong(charged=ALL, script=lambda: ServerError(billed=True)),
    "408: it took too long": Wrong(charged=ALL, script=refused(408)),
    "the connection breaks before a byte": Wrong(charged=ALL, script=Reset),
    "the connection breaks in an answer": Wrong(charged=ALL, script=ResetMidAnswer),
    "an answer that is no JSON": Wrong(charged=ALL, script=MalformedJson),
    "a stream that ends without its end": Wrong(charged=ALL, script=TruncatedStream),
    "no answer before the deadline": Wrong(charged=ALL, script=Hang, limits=IN_TIME),
    "signs of life alone, until the deadline": Wrong(
        charged=ALL, script=KeepAlives, limits=IN_TIME
    ),
    "a web page": Wrong(charged=ALL, script=WebPage),
    "an answer without a count": Wrong(charged=ALL, script=MissingUsage),
    "an answer that counts nothing": Wrong(charged=ALL, script=ZeroUsage),
    "an answer that counts less than nothing": Wrong(charged=ALL, script=NegativeUsage),
    "an answer beyond its cap": Wrong(charged=BILL, script=lambda: OverCap(extra_tokens=500)),
    "an answer that is cut at its cap": Wrong(charged=BILL, script=lambda: Answer(tokens=5_000)),
}
