"""The middleware that holds the tools of an agent that does a step of a run."""

from collections.abc import Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.types import Command

from thrifty.models.guard.held_tools import HeldTools
from thrifty.models.guard.tool_call_place import StepTools


class HoldStepTools(AgentMiddleware[Any, Any, Any]):
    """Asks a person before some tools are called, and has those with effects called once.

    Args:
        held: which tools.
        step: where their calls are noted.
        said: how many messages the agent is given.
    """

    def __init__(self, held: HeldTools, step: StepTools, said: int) -> None:
        super().__init__()
        self._held, self._step, self._said = held, step, said

    def wrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]],
    ) -> ToolMessage | Command[Any]:
        """Calls the tool, or tells the model why not."""
        return self._held.call(request, self._step.place(request, self._said), handler)
