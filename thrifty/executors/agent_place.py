"""Where in a run an agent with tools works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from thrifty.executors.protocol import Result, Work

if TYPE_CHECKING:
    from thrifty.models.guard.tool_call_place import StepTools


@dataclass(frozen=True, slots=True)
class AgentPlace:
    """What a node of a run lends to an agent that works within it."""

    tools: StepTools
    """Where the calls of tools with effects are noted."""
    callbacks: tuple[Any, ...]
    """LangChain's handlers of what its model writes."""
    metadata: Mapping[str, Any] = field(hash=False)
    """Of what its model writes: it is streamed as if the node itself had asked."""


AgentFunction = Callable[[Work, AgentPlace], Result | str]
"""Answers with a model and tools."""
