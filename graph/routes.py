"""From a state to the next node, where there is a choice."""

from typing import Literal

from langgraph.types import Send
from typing_extensions import TypedDict

from thrifty.budget.states import SpendState
from thrifty.executors.registry import LLM
from thrifty.nodes.state import Direction
from thrifty.run.assignment import AssignmentState, ExecutorInput
from thrifty.run.facts import Run


class RouteOutput(TypedDict):
    """What the routes out of `route` read."""

    run: Run
    spend: SpendState
    assignments: list[AssignmentState]


class Directed(TypedDict):
    """What the routes out of `plan`, `check_spend` and `approve` read."""

    direction: Direction


def to_executors(state: RouteOutput) -> list[Send] | Literal["check_spend"]:
    """Every assignment to the node that can do it; none at all to the spend check."""
    sends = [
        Send(
            "run_llm" if assignment["option"]["executor"] == LLM else "run_local",
            ExecutorInput(run=state["run"], assignment=assignment, spend=state["spend"]),
        )
        for assignment in state["assignments"]
    ]
    # An edge that returns nothing would end the run without a receipt.
    return sends or "check_spend"


def by_direction(state: Directed) -> Direction:
    """Where the plan, the spend check or a person said to go."""
    return state["direction"]
