"""Chooses the best set of options that fits in what is left."""

from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from thrifty.budget import Plan
from thrifty.budget.decision import Decision
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Facts, outlook
from thrifty.nodes.services import Services
from thrifty.planning.engines import make_plan


def plan(state: Facts, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Plans what is not done yet with what is not spent yet; the first time, that is everything."""
    context = Context.of(runtime.context)
    problem, barred = outlook(state, context, services)
    made = make_plan(problem, context.engine)
    made = replace(made, left_out=(*made.left_out, *barred))
    spent = services.spent(state["run"]["id"], state["spend"]["latency_ms"])
    decision = Decision("plan", describe(made), spent.latency_ms)
    update: dict[str, Any] = {
        "plan": made.to_state(),
        "revision": state["revision"] + 1,
        "decisions": [decision.to_state()],
        "spend": spent.to_state(),
    }
    return update if state["revision"] else {**update, "first_plan": made.to_state()}


def describe(made: Plan) -> str:
    """A plan in one sentence."""
    if not made.chosen:
        return made.note or "nothing that could be done fits in what is left"
    names = ", ".join(option.name for option in made.chosen)
    return f"{names}: worth {made.value:.1f}"
