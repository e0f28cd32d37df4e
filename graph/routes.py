"""From a state to the next node, where there is a choice."""

from typing import Literal

from langchain_core.messages import AnyMessage
from langgraph.types import Send

from thrifty.executors.registry import LLM
from thrifty.nodes.state import Direction, State
from thrifty.run.assignment import ExecutorInput
from thrifty.run.conversation import read_conversation


def to_executors(state: State) -> list[Send] | Literal["check_spend"]:
    """Every assignment to the node that can do it. Without any, the run goes to the spend check."""
    sends = [
        Send(
            "run_llm" if assignment["option"]["executor"] == LLM else "run_local",
            ExecutorInput(
                run=state["run"],
                conversation=_conversation(state) if assignment["answers"] else [],
                assignment=assignment,
                spend=state["spend"],
            ),
        )
        for assignment in state["assignments"]
    ]
    # An edge that returns nothing would end the run without a receipt.
    return sends or "check_spend"


def _conversation(state: State) -> list[AnyMessage]:
    return read_conversation(state["run"], state.get("messages", ()))


def by_direction(state: State) -> Direction:
    """Where the plan, the spend check or a person said to go."""
    return state["direction"]
