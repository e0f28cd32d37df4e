"""Ends a run before LangGraph's recursion limit does: with a result, not with its bare error."""

from collections.abc import Mapping
from typing import Any

from thrifty.budget.decision import Decision

NODES_TO_THE_END = {"route": 4, "plan": 5}
"""How many nodes follow a direction at the least: route, an executor, check_spend, finish."""
REASON = "the recursion limit lets too few nodes follow; raise recursion_limit in the configuration"


def guard_recursion(state: Mapping[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """What a node decided, or to finish, where what it decided could not be carried to an end.

    A run that waits for a person is counted anew once it is resumed.
    """
    needed = NODES_TO_THE_END.get(update.get("direction", ""), 0)
    if not needed or needed < state["remaining_steps"]:  # of which the last is LangGraph's own
        return update
    decision = Decision("halt", REASON, update.get("spend", state["spend"])["latency_ms"])
    decisions = [*update.get("decisions", ()), decision.to_state()]
    return {**update, "decisions": decisions, "direction": "finish", "halt_reason": REASON}
