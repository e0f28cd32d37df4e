"""The place of a run in its parent's graph, which is the same in every attempt at a node.

LangGraph numbers the graphs that a node calls, and goes on counting when a `RetryPolicy` has the
node run again. So each attempt would be given a place of its own, and a run with it that knows
nothing of what was paid. Here a call of the same agent with the same input is given the place
that it had before. LangGraph then finds its checkpoints, and the ledger its answers.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from langchain_core.runnables import RunnableConfig

from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.models.calls.node_attempts import (
    SCRATCHPAD,
    AttemptNumbers,
    NodeAttempt,
    current_attempt,
)

TASKS_MAX = 10_000
"""Of so many nodes it is known what they have called. Older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class _NodeCalls:
    """The agents that one node has called, in all its attempts."""

    count: Callable[[], int]
    """LangGraph's. It is the same in each attempt, and kept so that no other has its place."""
    numbers: AttemptNumbers = field(default_factory=AttemptNumbers)


_nodes: OrderedDict[int, _NodeCalls] = OrderedDict()
_lock = Lock()


def keep_place(config: RunnableConfig | None, agent: object, given: object) -> Any:
    """The configuration of a call, in which an attempt that is repeated has its first place.

    Args:
        config: as the agent was called with. LangGraph adds what it knows of the node around it.
        agent: who is called.
        given: the input.
    """
    configurable = (config or {}).get("configurable", {})
    # A call that names a thread of its own has no place in the graph around it.
    is_apart = "thread_id" in configurable and "checkpoint_ns" not in configurable
    attempt = None if is_apart else current_attempt(configurable)
    if attempt is None:
        return config
    asked = fingerprint(id(agent), given)
    count = replace(attempt.scratchpad, subgraph_counter=lambda: _number(attempt, asked))
    return {**(config or {}), "configurable": {**configurable, SCRATCHPAD: count}}


def _number(attempt: NodeAttempt, asked: str) -> int:
    count = attempt.scratchpad.subgraph_counter
    with _lock:
        calls = _nodes.setdefault(id(count), _NodeCalls(count))
        _nodes.move_to_end(id(count))
        if len(_nodes) > TASKS_MAX:
            _nodes.popitem(last=False)
        new = count()  # for the next graph that the node calls, whatever this one is given
        return calls.numbers.number(asked, attempt, lambda: new)
