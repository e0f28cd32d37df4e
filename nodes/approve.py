"""Asks a person: raise the budget, or finish with what there is."""

from collections.abc import Mapping
from typing import Any

from langgraph.types import interrupt
from typing_extensions import TypedDict

from thrifty.budget import Budget, InvalidInput
from thrifty.budget.decision import Decision, DecisionState
from thrifty.budget.spend import SpendState
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run

FINISH = "finish"
REMEDY = 'resume with "finish" or with {"budget": {"max_tokens": 4000}}'


class Asking(TypedDict):
    """What this node reads."""

    run: Run
    spend: SpendState
    decisions: list[DecisionState]


def approve(state: Asking, *, services: Services) -> dict[str, Any]:
    """Waits, without counting the time, until an answer comes that can be used."""
    run = state["run"]
    services.clock.pause(run["id"])
    question: dict[str, Any] = {
        "question": "The budget does not hold the rest of the plan. Raise it, or finish?",
        "reason": state["decisions"][-1]["reason"],
        "budget": dict(run["budget"]),
        "spent": dict(state["spend"]),
        "answers": REMEDY,
    }
    while True:
        answer = interrupt(question)
        try:
            return _acted_on(answer, state, services)
        except InvalidInput as error:
            question = {**question, "error": str(error)}


def _acted_on(answer: object, state: Asking, services: Services) -> dict[str, Any]:
    at_ms = state["spend"]["latency_ms"]
    if answer == FINISH:
        decision = Decision("halt", "a person chose to finish", at_ms)
        return {
            "direction": "finish",
            "halt_reason": decision.reason,
            "decisions": [decision.to_state()],
        }
    if not isinstance(answer, Mapping) or set(answer) != {"budget"}:
        raise InvalidInput("answer", answer, REMEDY)
    budget = Budget.from_state(state["run"]["budget"]).changed(answer["budget"])
    services.ledger.open(state["run"]["id"], budget)
    return {
        "direction": "plan",
        "run": {**state["run"], "budget": budget.to_state()},
        "decisions": [Decision("ask", "a person raised the budget", at_ms).to_state()],
    }
