"""Reads the bill after each step, or steps side by side: go on, plan anew, ask, or finish."""

from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from thrifty.budget import Outcome, Plan
from thrifty.budget.decision import Decision, DecisionKind
from thrifty.executors.overruns import Overrun
from thrifty.models.guard.can_interrupt import NOBODY, can_interrupt
from thrifty.nodes.context import Context
from thrifty.nodes.state import Direction, additions
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.learning import bills_of
from thrifty.run.services import Services
from thrifty.steering.decide import Action, DriftDecision, DriftFacts, decide
from thrifty.steering.forecast import describe_drift

NEXT: dict[Action, tuple[Direction, DecisionKind]] = {
    "continue": ("route", "check"),
    "replan": ("plan", "replan"),
    "escalate": ("plan", "escalate"),
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
    overruns = _new_overruns(run, state["seen"])
    decided = decide(
        _drift_facts(state, run, context, overruns),
        context.on_drift,
        lambda: describe_drift(bills_of(run.cache.outcomes, run.model_access)),
    )
    if decided.action == "ask" and not can_interrupt(config):
        decided = DriftDecision("end", f"{decided.reason}, {NOBODY}", is_halt=True)
    direction, kind = NEXT[decided.action]
    kind = kind if decided.is_halt or decided.action != "end" else "check"
    decisions = [Decision("overrun", each.reason, spent.latency_ms) for each in overruns]
    if decided.reason:
        decisions.append(Decision(kind, decided.reason, spent.latency_ms))
    return {
        "direction": direction,
        "halt_reason": decided.reason if decided.is_halt else "",
        "seen": len(state["outcomes"]),
        "spend": spent.to_state(),
        **additions(decisions=run.cache.write_all(decisions)),
    }


def _drift_facts(
    state: CheckInput, run: CurrentRun, context: Context, overruns: Sequence[Overrun]
) -> DriftFacts:
    plan = run.cache.read(Plan, state["plan"])
    new_outcomes = tuple(run.cache.outcomes[state["seen"] :])
    return DriftFacts(
        plan=plan,
        # What an earlier check has decided on is no reason for a new plan.
        new_outcomes=new_outcomes,
        remaining=run.remaining().totals(),
        left=run.left_to_plan(),
        make_new_plan=lambda: run.plan(run.problem()[0]),
        # Neither the first plan nor one for a second attempt is made for what bills came to.
        replans_left=context.max_replans - (state["revision"] - 1 - _count_escalations(state)),
        passed_limit=run.passed_limit(),
        overrun_reason="; ".join(_lost_to_overruns(run, plan, overruns)),
        no_plan_reason=_unknown_effect(new_outcomes) or run.no_plan_reason(),
        undone_reason=run.undone_reason(),
        reopened=run.reopened_steps().keys(),
    )


def _count_escalations(state: CheckInput) -> int:
    return sum(decision["kind"] == "escalate" for decision in state.get("decisions", ()))


def _unknown_effect(outcomes: Iterable[Outcome]) -> str:
    """Whether nobody knows if something has changed outside: who goes on might do it twice."""
    unknown = (outcome for outcome in outcomes if outcome.status == "unknown")
    return next((f"{each.option.name!r} is in doubt: {each.reason}" for each in unknown), "")


def _new_overruns(run: CurrentRun, seen: int) -> list[Overrun]:
    """The overruns of what has ended since the last check."""
    new = {outcome.option.name for outcome in run.cache.outcomes[seen:]}
    # The first check tells of what was paid beside the steps, too: that was before them.
    if not seen:
        new |= {each.label for each in run.overruns()} - run.declared_options().keys()
    return [overrun for overrun in run.overruns() if overrun.label in new]


def _lost_to_overruns(run: CurrentRun, plan: Plan, new: Sequence[Overrun]) -> list[str]:
    """What of the plan nobody will do any more, as who was to do it took too much."""
    planned = set(map(run.model_access.executor_model, run.undone(plan)))
    return [overrun.reason for overrun in new if overrun.executor_model in planned]
