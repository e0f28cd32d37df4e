"""Reads the bill after each wave and decides: go on, plan anew, ask, or finish."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from thrifty.budget import Budget, Spend
from thrifty.budget.decision import Decision, DecisionKind
from thrifty.budget.resources import told
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Planned, bills_of, lost, outlook, rest_of, terms_of
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run, growth
from thrifty.nodes.waiting import NOBODY, can_wait
from thrifty.planning.course import Course, Standing, set_course
from thrifty.planning.engines import make_plan
from thrifty.planning.forecast import drift
from thrifty.planning.reasons import over

KIND_OF: dict[str, DecisionKind] = {"plan": "replan", "approve": "ask", "finish": "halt"}


class Checked(Planned):
    """What this node reads."""

    seen: int


def check_spend(
    state: Checked, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Compares ledger and plan and sets the course."""
    context = Context.of(runtime.context)
    run = state["run"]
    spent = services.spent(run["id"], state["spend"]["latency_ms"])
    logbook = services.logbook(state)
    outcomes = logbook.outcomes
    terms = terms_of(run, context, services)
    standing = Standing(
        plan=logbook.plan(state["plan"]),
        news=outcomes[state["seen"] :],
        ahead=rest_of(state, context, services).ahead(),
        left=services.left(run["id"], state["spend"]["latency_ms"]),
        best=lambda: make_plan(outlook(state, context, services)[0], context.engine),
        replans_left=context.max_replans - (state["revision"] - 1),
        overrun=_overrun(run, spent, services),
        lost=lost(state, context, services),
    )
    course = set_course(standing, context.on_drift, lambda: drift(bills_of(outcomes, terms)))
    if course.direction == "approve" and not can_wait(config):
        course = Course("finish", f"{course.reason}, {NOBODY}", halts=True)
    decision = Decision(KIND_OF.get(course.direction, "plan"), course.reason, spent.latency_ms)
    return {
        "direction": course.direction,
        "halt_reason": course.reason if course.halts else "",
        "seen": len(outcomes),
        "spend": spent.to_state(),
        **growth(decisions=[decision.to_state()] if course.reason else []),
    }


def _overrun(run: Run, spent: Spend, services: Services) -> str:
    """What went over: a limit of the run, or a call over what it had reserved of one.

    Time that has run out is no overrun: what is left of it holds no further step.
    """
    limits = services.limits(run["id"]).without_latency()
    if excess := limits.exceeded_by(spent):
        return over(excess)
    limited = {resource.name for resource, _ in limits.limited()}
    for entry in services.ledger.overruns(run["id"]):
        allowed = Budget.of_limits(entry.reserved.amounts).without_latency()
        excess = allowed.exceeded_by(entry.charged)
        if limited & excess.keys():
            return f"{entry.label!r} used more than it was allowed, by {told(excess)}"
    return ""
