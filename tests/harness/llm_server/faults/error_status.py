"""An error object in place of an answer; not billed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.errors import error_object
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage


@dataclass(frozen=True, kw_only=True)
class ErrorStatus(Behaviour):
    """An error object of any status."""

    status: int = 503
    message: str = "The engine is currently overloaded, please try again later."
    kind: str = "server_error"
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    billed: bool = False

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send the error."""
        payload = error_object(self.message, self.kind, self.param, self.code)
        await stage.send_json(self.status, payload, self.headers)


@dataclass(frozen=True, kw_only=True)
class TooManyRequests(ErrorStatus):
    """429: the rate limit, with how long to wait when told so."""

    status: int = 429
    message: str = "Rate limit reached for requests. Please try again later."
    kind: str = "requests"
    code: str | None = "rate_limit_exceeded"
    retry_after_s: float | None = None
    retry_after_ms: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        waits = {"retry-after": self.retry_after_s, "retry-after-ms": self.retry_after_ms}
        told = {name: f"{wait:g}" for name, wait in waits.items() if wait is not None}
        object.__setattr__(self, "headers", {**told, **self.headers})


@dataclass(frozen=True, kw_only=True)
class ServerError(ErrorStatus):
    """500."""

    status: int = 500
    message: str = "The server had an error while processing your request. Sorry about that!"


@dataclass(frozen=True, kw_only=True)
class Unauthorized(ErrorStatus):
    """401: the key is wrong."""

    status: int = 401
    message: str = "Incorrect API key provided."
    kind: str = "invalid_request_error"
    code: str | None = "invalid_api_key"
