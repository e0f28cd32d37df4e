"""From a state to the next node, where there is a choice."""

from typing import Literal

from langgraph.types import Send
from typing_extensions import TypedDict

from thrifty.budget.states import SpendState
from thrifty.executors.registry import LLM
from thrifty.nodes.run_llm import Sent
from thrifty.nodes.state import Assignment, Run
from thrifty.planning.course import Direction


class Routed(TypedDict):
    """What the routes out of `route` read."""

    run: Run
    spend: SpendState
    wave: list[Assignment]


class Checked(TypedDict):
    """What the routes out of `plan`, `check_spend` and `approve` read."""

    direction: Direction


def to_executors(state: Routed) -> list[Send] | Literal["check_spend"]:
    """Every assignment to the node that can do it; an empty wave to the spend check."""
    sends = [
        Send(
            "run_llm" if assignment["option"]["executor"] == LLM else "run_local",
            Sent(run=state["run"], assignment=assignment, spend=state["spend"]),
        )
        for assignment in state["wave"]
    ]
    return sends or "check_spend"


def by_direction(state: Checked) -> Direction:
    """Where the plan, the spend check or a person said to go."""
    return state["direction"]
