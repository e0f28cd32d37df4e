"""Reads the bill after each wave and decides: go on, plan anew, ask, or finish."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from thrifty.budget import Budget, Plan, Spend
from thrifty.budget.decision import Decision, DecisionKind
from thrifty.budget.resources import format_amounts
from thrifty.nodes.context import Context
from thrifty.nodes.state import Direction, additions
from thrifty.planning.engines import make_plan
from thrifty.planning.reasons import describe_excess
from thrifty.run.can_interrupt import NOBODY, can_interrupt
from thrifty.run.choices import terms_of, why_no_plan
from thrifty.run.current_problem import current_problem
from thrifty.run.facts import PlannedFacts, Run
from thrifty.run.remaining_plan import remaining_plan
from thrifty.run.services import Services
from thrifty.run.step_bills import bills_of
from thrifty.steering.decide import Action, DriftDecision, DriftFacts, decide
from thrifty.steering.forecast import describe_drift

NEXT_NODE: dict[Action, Direction] = {
    "continue": "route",
    "replan": "plan",
    "ask": "approve",
    "end": "finish",
}
DECISION_KIND: dict[Action, DecisionKind] = {
    "continue": "plan",
    "replan": "replan",
    "ask": "ask",
    "end": "halt",
}


class CheckInput(PlannedFacts):
    """What this node reads."""

    seen: int


def check_spend(
    state: CheckInput, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Compares ledger and plan, and decides what happens next."""
    context = Context.of(runtime.context)
    spent = services.spend(state["run"]["id"], state["spend"]["latency_ms"])
    course = _decide(state, spent, context, services)
    if course.action == "ask" and not can_interrupt(config):
        course = DriftDecision("end", f"{course.reason}, {NOBODY}", is_halt=True)
    decisions = []
    if course.reason:
        kind = DECISION_KIND[course.action]
        decisions = [Decision(kind, course.reason, spent.latency_ms)]
    return {
        "direction": NEXT_NODE[course.action],
        "halt_reason": course.reason if course.is_halt else "",
        "seen": len(state["outcomes"]),
        "spend": spent.to_state(),
        **additions(decisions=services.cache_of(state).write_all(decisions)),
    }


def _decide(state: CheckInput, spent: Spend, context: Context, services: Services) -> DriftDecision:
    run, cache = state["run"], services.cache_of(state)
    standing = DriftFacts(
        plan=cache.read(Plan, state["plan"]),
        # What an earlier check has decided on is no reason for a new plan.
        new_outcomes=cache.outcomes[state["seen"] :],
        remaining=remaining_plan(state, context, services).totals(),
        left=services.remaining_budget(run["id"], state["spend"]["latency_ms"]),
        make_new_plan=lambda: make_plan(
            current_problem(state, context, services)[0], context.engine
        ),
        # The first plan is none of the new ones.
        replans_left=context.max_replans - (state["revision"] - 1),
        overrun_reason=_overrun(run, spent, services),
        no_plan_reason=why_no_plan(state, context, services),
    )
    terms = terms_of(run, context, services)
    return decide(
        standing, context.on_drift, lambda: describe_drift(bills_of(cache.outcomes, terms))
    )


def _overrun(run: Run, spent: Spend, services: Services) -> str:
    """What went over: a limit of the run, or a call over what it had reserved of one.

    Time that has run out is no overrun: what is left of it holds no further step.
    """
    limits = services.limits(run["id"]).without_latency()
    if excess := limits.exceeded_by(spent):
        return describe_excess(excess)
    limited = {resource.name for resource, _ in limits.limited_resources()}
    for entry in services.ledger.overruns(run["id"]):
        allowed = Budget.of_limits(entry.reserved.amounts).without_latency()
        excess = allowed.exceeded_by(entry.charged)
        if limited & excess.keys():
            return f"{entry.label!r} used more than it was allowed, by {format_amounts(excess)}"
    return ""
