"""An error object in place of an answer; not billed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.errors import Refused, error_object
from tests.harness.llm_server.question import JSON
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage
from tests.harness.llm_server.usage import Bill


@dataclass(frozen=True, kw_only=True)
class ErrorStatus(Behaviour):
    """An error object of any status."""

    status: int = 503
    message: str = "The engine is currently overloaded, please try again later."
    kind: str = "server_error"
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JSON | list[JSON] | None = None
    """Another vendor's error in the place of OpenAI's."""
    billed: bool = False

    @property
    def told(self) -> str:
        """How a user reads of it: its status, its code and its message."""
        return f'({self.status}): {self.code or self.kind}, "{self.message}"'

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Send the error."""
        refused = Refused(
            self.message, status=self.status, kind=self.kind, param=self.param, code=self.code
        )
        await stage.send_json(self.status, self.body or stage.dialect.error(refused), self.headers)


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
class RefusedField(ErrorStatus):
    """400 where a request has a field that the server does not know; else an honest answer."""

    status: int = 400
    kind: str = "invalid_request_error"
    param: str | None = "max_completion_tokens"
    code: str | None = "unsupported_parameter"
    is_named: bool = True
    """Says apart which field it is, and not in its message alone."""

    def is_refused(self, body: JSON) -> bool:
        """Whether a request has the field, which may be within another."""
        found: object = body
        for name in (self.param or "").split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found is not None

    def bill(self, reply: Reply) -> Bill:
        """What an answer costs, and a refusal does not."""
        return Bill() if self.is_refused(dict(reply.request.body)) else reply.bill

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Refuse or answer."""
        if not self.is_refused(dict(reply.request.body)):
            return await stage.send(reply)
        message = f"Unrecognized request argument supplied: {self.param}"
        named = (self.param, self.code) if self.is_named else (None, None)
        await stage.send_json(self.status, error_object(message, self.kind, *named))


@dataclass(frozen=True, kw_only=True)
class Unauthorized(ErrorStatus):
    """401: the key is wrong."""

    status: int = 401
    message: str = "Incorrect API key provided."
    kind: str = "invalid_request_error"
    code: str | None = "invalid_api_key"


@dataclass(frozen=True, kw_only=True)
class Overloaded(ErrorStatus):
    """529: Anthropic has no room for the request."""

    status: int = 529
    message: str = "Overloaded"
    kind: str = "overloaded_error"
