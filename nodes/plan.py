"""Chooses the best set of options that fits in what is left."""

from dataclasses import replace
from typing import Any, NotRequired

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from thrifty.budget import Plan
from thrifty.budget.decision import Decision
from thrifty.budget.states import PlanState
from thrifty.nodes.context import Context
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.run.can_interrupt import NOBODY, can_interrupt
from thrifty.run.choices import terms_of, why_no_plan
from thrifty.run.current_problem import current_problem
from thrifty.run.facts import RunFacts
from thrifty.run.services import Services
from thrifty.steering.plan_changes import iterate_plan_changes
from thrifty.steering.remaining import remaining_options


class PlanInput(RunFacts):
    """What this node reads."""

    is_approved: bool
    plan: NotRequired[PlanState]


def plan(
    state: PlanInput, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Plans what is not done yet with what is not spent yet; the first time, that is everything."""
    context, cache = Context.of(runtime.context), services.cache_of(state)
    problem, excluded = current_problem(state, context, services)
    new_plan = make_plan(problem, context.engine)
    if why := why_no_plan(state, context, services):
        new_plan = new_plan.as_infeasible(why)
    # The planner never saw what is excluded. The plan says why all the same.
    new_plan = replace(new_plan, left_out=(*new_plan.left_out, *excluded))
    spent = services.spend(state["run"]["id"], state["spend"]["latency_ms"])
    decisions = [Decision("plan", describe(new_plan), spent.latency_ms)]
    if state["revision"]:
        decisions = [*_changes(state, new_plan, problem, context, services), *decisions]
    update: dict[str, Any] = {
        "plan": cache.write(new_plan),
        "revision": state["revision"] + 1,
        "decisions": cache.write_all(decisions),
        "spend": spent.to_state(),
        "direction": "route",
    }
    if new_plan.chosen and not state["is_approved"]:
        update |= _ask_for_approval(config)
    # The receipt compares with the first plan, which is kept once another takes its place.
    return {**update, "first_plan": state["plan"]} if state["revision"] == 1 else update


def _changes(
    state: PlanInput, new_plan: Plan, problem: Problem, context: Context, services: Services
) -> list[Decision]:
    """What the new plan does otherwise than the old one would have, and why."""
    old_plan = services.cache_of(state).read(Plan, state["plan"])
    at_ms = services.runs.active_ms(state["run"]["id"], state["spend"]["latency_ms"])
    by = terms_of(state["run"], context, services).executor_label
    changes = iterate_plan_changes(remaining_options(old_plan, problem), new_plan, problem, by)
    return [Decision(change.kind, change.reason, at_ms) for change in changes]


def _ask_for_approval(config: RunnableConfig) -> dict[str, Any]:
    if can_interrupt(config):
        return {"direction": "approve"}
    return {"direction": "finish", "halt_reason": "the plan is to be approved, " + NOBODY}


def describe(new_plan: Plan) -> str:
    """A plan in one sentence."""
    if not new_plan.chosen:
        return new_plan.note or "nothing that could be done fits in what is left"
    names = ", ".join(option.name for option in new_plan.chosen)
    return f"{names}: worth {new_plan.value:.1f}"
