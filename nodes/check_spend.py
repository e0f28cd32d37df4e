"""Reads the bill after each step, or steps side by side: go on, plan anew, ask, or finish."""

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
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.learning import bills_of
from thrifty.run.services import Services
from thrifty.steering.decide import Action, DriftDecision, DriftFacts, decide
from thrifty.steering.forecast import describe_drift

NEXT: dict[Action, tuple[Direction, DecisionKind]] = {
    "continue": ("route", "plan"),
    "replan": ("plan", "replan"),
    "ask": ("approve", "ask"),
    "end": ("finish", "halt"),
}
"""The node that follows, and what the receipt calls the decision."""


class CheckInput(RunFacts):
    """What this node reads."""

    seen: int


def check_spend(
    state: CheckInput,
    runtime: Runtime[Context],
    config: RunnableConfig,
    *,
    run_id: str,
    services: Services,
) -> dict[str, Any]:
    """Compares ledger and plan, and decides what happens next."""
    context = Context.of(runtime.context)
    run = CurrentRun(state, context, services, run_id)
    spent = run.spent()
    decided = decide(
        _drift_facts(state, run, spent, context),
        context.on_drift,
        lambda: describe_drift(bills_of(run.cache.outcomes, run.model_access)),
    )
    if decided.action == "ask" and not can_interrupt(config):
        decided = DriftDecision("end", f"{decided.reason}, {NOBODY}", is_halt=True)
    direction, kind = NEXT[decided.action]
    decisions = [Decision(kind, decided.reason, spent.latency_ms)] if decided.reason else []
    return {
        "direction": direction,
        "halt_reason": decided.reason if decided.is_halt else "",
        "seen": len(state["outcomes"]),
        "spend": spent.to_state(),
        **additions(decisions=run.cache.write_all(decisions)),
    }


def _drift_facts(state: CheckInput, run: CurrentRun, spent: Spend, context: Context) -> DriftFacts:
    return DriftFacts(
        plan=run.cache.read(Plan, state["plan"]),
        # What an earlier check has decided on is no reason for a new plan.
        new_outcomes=tuple(run.cache.outcomes[state["seen"] :]),
        remaining=run.remaining().totals(),
        left=run.left_to_plan(),
        make_new_plan=lambda: make_plan(run.problem()[0], context.engine),
        # The first plan is none of the new ones.
        replans_left=context.max_replans - (state["revision"] - 1),
        overrun_reason=_overrun(run, spent),
        no_plan_reason=run.no_plan_reason(),
    )


def _overrun(run: CurrentRun, spent: Spend) -> str:
    """What went over: a limit of the run, or a call over what it had reserved of one.

    Time that has run out is no overrun: what is left of it holds no further step.
    """
    if excess := run.limits.without_latency().exceeded_by(spent):
        return describe_excess(excess)
    # A limit of an account above it counts as well.
    in_force = run.services.limits_in_force(run.id).without_latency()
    limited = {resource.name for resource, _ in in_force.limited_resources()}
    for entry in run.services.ledger.overruns(run.id):
        allowed = Budget.of_limits(entry.reserved.amounts).without_latency()
        excess = allowed.exceeded_by(entry.charged)
        if limited & excess.keys():
            return f"{entry.label!r} used more than it was allowed, by {format_amounts(excess)}"
    return ""
