"""The record of every request, safe to read from any thread at any time."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.harness.llm_server.question import Question
from tests.harness.llm_server.usage import Bill

Api = Literal[
    "chat",
    "responses",
    "messages",
    "gemini",
    "bedrock",
    "completions",
    "embeddings",
    "openrouter",
    "groq",
    "mistral",
    "deepseek",
    "xai",
    "ollama",
    "models",
    "unknown",
]


KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")
"""Where OpenAI's clients send a key, Anthropic's, and Google's."""


@dataclass(frozen=True, kw_only=True)
class Request(Question):
    """One request as it arrived, and what became of it so far."""

    number: int
    """1, 2, 3 in the order of arrival."""
    method: str
    path: str
    api: Api = "unknown"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case. Not shown, because they may hold somebody's key."""
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The parsed JSON; empty when it could not be read."""
    received_at_s: float
    """On the clock of time.monotonic()."""
    played: str = ""
    """What answered: the name of an Answer or a Behaviour."""
    bill: Bill = field(default_factory=Bill)
    """What a provider would charge, whether or not the answer got through."""
    status: int | None = None
    """HTTP status sent; None while nothing was."""
    completed: bool = False
    """The whole answer was handed to the network."""
    ended_at_s: float | None = None
    """When the server was done with it; None while it is not."""

    @property
    def authorized(self) -> bool:
        """The request carried a key."""
        return any(map(self.headers.get, KEY_HEADERS))


class Journal:
    """All requests of one server, in order of arrival."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: dict[int, Request] = {}
        self._numbers = 0
        self._failures: list[BaseException] = []

    def next_number(self) -> int:
        """A number that no other request has."""
        with self._changed:
            self._numbers += 1
            return self._numbers

    def open(self, request: Request) -> None:
        """Record a request that has arrived."""
        with self._changed:
            self._requests[request.number] = request
            self._changed.notify_all()

    def update(self, number: int, **changes: object) -> None:
        """Change fields of a request; one that was cleared away stays away."""
        with self._changed:
            if number in self._requests:
                self._requests[number] = replace(self._requests[number], **changes)  # type: ignore[arg-type]
                self._changed.notify_all()

    def clear(self) -> None:
        """Forget all requests; the numbers go on."""
        with self._changed:
            self._requests.clear()

    @property
    def requests(self) -> tuple[Request, ...]:
        """A snapshot of all requests."""
        with self._changed:
            return tuple(self._requests[number] for number in sorted(self._requests))

    @property
    def bill(self) -> Bill:
        """The sum of all bills."""
        return sum((request.bill for request in self.requests), Bill())

    def wait_for(self, count: int, *, ended: bool, timeout_s: float) -> tuple[Request, ...]:
        """Block until `count` requests have arrived (or have ended).

        Raises:
            TimeoutError: fewer did in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._reached(count, ended), timeout_s):
                raise TimeoutError(
                    f"waited {timeout_s} s for {count} requests{' to end' * ended}; "
                    f"have {len(self._requests)}: {list(self._requests.values())}"
                )
            return self.requests

    def _reached(self, count: int, ended: bool) -> bool:
        counted = [r for r in self._requests.values() if not ended or r.ended_at_s is not None]
        return len(counted) >= count

    def fail(self, failure: BaseException) -> None:
        """Keep a fault of the server itself, or of its script, for whoever stops it."""
        with self._changed:
            self._failures.append(failure)

    def take_failure(self) -> BaseException | None:
        """The first fault kept, once."""
        with self._changed:
            return self._failures.pop(0) if self._failures else None
