"""Chooses the best set of options that fits in what is left."""

from dataclasses import replace
from typing import Any, NotRequired

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from thrifty.budget import Plan
from thrifty.budget.decision import Decision
from thrifty.budget.states import PlanState
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Facts, lost, outlook, terms_of
from thrifty.nodes.services import Services
from thrifty.nodes.waiting import NOBODY, can_wait
from thrifty.planning.engines import make_plan
from thrifty.planning.moves import moves
from thrifty.planning.problem import Problem
from thrifty.planning.rest import still_to_do


class Planning(Facts):
    """What this node reads."""

    is_approved: bool
    plan: NotRequired[PlanState]


def plan(
    state: Planning, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Plans what is not done yet with what is not spent yet; the first time, that is everything."""
    context = Context.of(runtime.context)
    problem, barred = outlook(state, context, services)
    made = make_plan(problem, context.engine)
    if why := lost(state, context, services):
        made = made.refused(why)
    made = replace(made, left_out=(*made.left_out, *barred))
    spent = services.spent(state["run"]["id"], state["spend"]["latency_ms"])
    decisions = [Decision("plan", describe(made), spent.latency_ms)]
    if state["revision"]:
        decisions = [*_changes(state, made, problem, context, services), *decisions]
    update: dict[str, Any] = {
        "plan": made.to_state(),
        "revision": state["revision"] + 1,
        "decisions": [decision.to_state() for decision in decisions],
        "spend": spent.to_state(),
        "direction": "route",
    }
    if made.chosen and not state["is_approved"]:
        update |= _to_be_approved(config)
    return {**update, "first_plan": state["plan"]} if state["revision"] == 1 else update


def _changes(
    state: Planning, made: Plan, problem: Problem, context: Context, services: Services
) -> list[Decision]:
    """What the new plan does otherwise than the old one would have, and why."""
    logbook = services.logbook(state)
    rest = still_to_do(logbook.plan(state["plan"]), problem)
    at_ms = services.runs.active_ms(state["run"]["id"], state["spend"]["latency_ms"])
    by = terms_of(state["run"], context, services).by
    return [Decision(move.kind, move.reason, at_ms) for move in moves(rest, made, problem.left, by)]


def _to_be_approved(config: RunnableConfig) -> dict[str, Any]:
    if can_wait(config):
        return {"direction": "approve"}
    return {"direction": "finish", "halt_reason": "the plan is to be approved, " + NOBODY}


def describe(made: Plan) -> str:
    """A plan in one sentence."""
    if not made.chosen:
        return made.note or "nothing that could be done fits in what is left"
    names = ", ".join(option.name for option in made.chosen)
    return f"{names}: worth {made.value:.1f}"
