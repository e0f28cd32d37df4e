"""Texts that a model completes in one request: several calls to LangChain, with one count of all.

LangChain tells its handlers of each text by itself, and puts the usage of all on the first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from thrifty.budget import Spend


class Held(Protocol):
    """A call that holds a reservation."""

    reserved: Spend


Call = TypeVar("Call", bound=Held)


@dataclass(slots=True)
class TextBatch(Generic[Call]):
    """The calls of one request."""

    size: int
    params: Any
    """What LangChain hands to the start of each: the same object, by which they are known."""
    started: list[Call] = field(default_factory=list)
    ended: list[tuple[Call, Any]] = field(default_factory=list)
    """Each with the usage that came with it, if any did."""

    def end(self, call: Call, usage: Any) -> bool:
        """Notes that a call has ended. Whether it was the last one is handed back."""
        self.ended.append((call, usage))
        return len(self.ended) == self.size

    @property
    def usage(self) -> Any:
        """The usage of all; None where none came."""
        return next((usage for _, usage in self.ended if usage is not None), None)


class TextBatches(Generic[Call]):
    """The batches whose calls are being started. Handlers may be called in several threads."""

    def __init__(self) -> None:
        self._open: dict[int, TextBatch[Call]] = {}
        self._lock = Lock()

    def join(self, params: Any, size: int, call: Call) -> TextBatch[Call]:
        """The batch of a call that is about to be sent with others."""
        with self._lock:
            batch = self._open.setdefault(id(params), TextBatch(size, params))
            batch.started.append(call)
            if len(batch.started) == size:
                del self._open[id(params)]
            return batch

    def drop(self, params: Any) -> list[Call]:
        """The calls of a batch of which one is refused, so that none is sent."""
        with self._lock:
            batch = self._open.pop(id(params), None)
            return batch.started if batch else []


def share_out(total: Spend, reserved: Sequence[Spend]) -> Iterator[Spend]:
    """What each of several calls is charged that used so much together.

    Nobody knows which of them used what. Each takes no more than it holds, and the last all that
    is left. So only what is more than they hold together is an overrun.
    """
    tokens, cost = total.tokens, total.cost_nano_usd
    *first, _ = reserved
    for held in first:
        share = Spend(min(tokens, held.tokens), min(cost, held.cost_nano_usd), tool_calls=1)
        yield share
        tokens, cost = tokens - share.tokens, cost - share.cost_nano_usd
    yield Spend(tokens, cost, tool_calls=1)
