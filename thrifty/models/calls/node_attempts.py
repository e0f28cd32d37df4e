"""What a node of LangGraph's does in several attempts: by a `RetryPolicy`, or when it is resumed.

An attempt does again what the one before it did. Whatever is numbered in the order in which it is
done, such as calls that ask the same, is given the numbers again that it had before.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from langchain_core.runnables.config import var_child_runnable_config

from thrifty.ledger.owner import is_owner_gone

SCRATCHPAD = "__pregel_scratchpad"
"""Where LangGraph hands a node what it counts for it."""
BRINGS_ANSWER: ContextVar[tuple[str, bool | None]] = ContextVar(
    "thrifty_brings_answer", default=("", None)
)
"""The driver of the invocation that a node runs for, and whether it was given an answer."""


def brings_answer() -> bool | None:
    """Whether the invocation that a node runs for was given an answer. None where nobody knows.

    LangGraph keeps the last answer beside the checkpoint. To whatever asks next, it hands that out
    again where an invocation brings none. Nothing is known of an invocation that has ended, whose
    driver a Ctrl-C may have left behind here.
    """
    driver, answer = BRINGS_ANSWER.get()
    return None if is_owner_gone(driver) else answer


class NodeAttempt(NamedTuple):
    """An attempt at a node."""

    place: str
    """Where the node is and which turn of it this is: the same in all its attempts."""
    scratchpad: Any
    """LangGraph's, of this attempt."""

    @property
    def identity(self) -> object:
        """Something that LangGraph makes anew for each attempt."""
        return self.scratchpad.interrupt_counter


def current_attempt(given: Mapping[str, Any] | None = None) -> NodeAttempt | None:
    """The attempt within which this code runs; None outside of a graph.

    Args:
        given: `configurable` of a configuration that was handed on.
    """
    around = var_child_runnable_config.get() or {}
    known = {**around.get("configurable", {}), **(given or {})}
    if (scratchpad := known.get(SCRATCHPAD)) is None:
        return None
    return NodeAttempt(f"{known.get('thread_id')}|{known.get('checkpoint_ns')}", scratchpad)


@dataclass(slots=True)
class AttemptNumbers:
    """The numbers of what one node has done, by what it was."""

    _numbers: dict[str, list[int]] = field(default_factory=dict)
    _attempt: object = None
    _repeated: dict[str, int] = field(default_factory=dict)
    """How many numbers this attempt has repeated."""

    def number(self, what: str, attempt: NodeAttempt, new: Callable[[], int]) -> int:
        """The number of what is done now: that of an earlier attempt, or a new one."""
        if self._attempt is not attempt.identity:
            self._attempt, self._repeated = attempt.identity, {}
        numbers, repeated = self._numbers.setdefault(what, []), self._repeated.get(what, 0)
        self._repeated[what] = repeated + 1
        if repeated == len(numbers):
            numbers.append(new())
        return numbers[repeated]
