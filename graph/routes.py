"""From a state to the next node, where there is a choice."""

from typing import Literal

from langgraph.types import Send

from thrifty.executors.registry import LLM
from thrifty.nodes.state import Direction, State
from thrifty.run.assignment import ExecutorInput


def to_executors(state: State) -> list[Send] | Literal["check_spend"]:
    """Every assignment to the node that can do it. Without any, the run goes to the spend check."""
    sends = [
        Send(
            "run_llm" if assignment["option"]["executor"] == LLM else "run_local",
            ExecutorInput(run=state["run"], assignment=assignment, spend=state["spend"]),
        )
        for assignment in state["assignments"]
    ]
    # An edge that returns nothing would end the run without a receipt.
    return sends or "check_spend"


def by_direction(state: State) -> Direction:
    """Where the plan, the spend check or a person said to go."""
    return state["direction"]
