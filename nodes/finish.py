"""Ends every run: the draft as far as it got, a status, and the receipt."""

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from thrifty.budget import Budget, Outcome, Plan, Spend, Step, StepOption
from thrifty.budget.decision import Decision
from thrifty.budget.states import DecisionState, PlanState
from thrifty.executors.offer import priced
from thrifty.ledger.booking import charge_what_is_open
from thrifty.nodes.context import Context
from thrifty.nodes.learning import remember
from thrifty.nodes.outlook import Facts, all_steps, barred_by, steps_in_order, terms_of
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run
from thrifty.receipt.record import Receipt, bound_by, make_lines


class Finishing(Facts):
    """What this node reads."""

    plan: PlanState
    first_plan: PlanState | None
    decisions: list[DecisionState]
    halt_reason: str


def finish(state: Finishing, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Composes the draft and writes the receipt."""
    run = state["run"]
    logbook = services.logbook(state)
    outcomes = logbook.outcomes
    steps = all_steps(state, services)
    last_plan = Plan.from_state(state["plan"])
    first_plan = Plan.from_state(state["first_plan"]) if state["first_plan"] else last_plan
    unbooked = charge_what_is_open(services.ledger, services.account(run["id"]))
    spent = services.spent(run["id"], state["spend"]["latency_ms"]) + unbooked
    budget = _limits(run, services)
    if run["common"]:
        services.ledger.reclaim(run["common"], run["id"])
    draft = str(logbook.draft(lambda: steps_in_order(state, services)))
    left = budget.left_after(spent)
    context = Context.of(runtime.context)
    terms, barred = terms_of(run, context, services), barred_by(outcomes, state["left_out"])
    decisions = [Decision.from_state(decision) for decision in state["decisions"]]
    if told := remember(runtime, context, terms, run["id"], outcomes, services):
        decisions.append(Decision("options", told, spent.latency_ms))
    better = [
        option
        for option in _better(priced(steps, terms), outcomes)
        if not (barred(option) or terms.why_not(option))
    ]
    receipt = Receipt(
        run_id=run["id"],
        task=run["task"],
        status="halted" if state["halt_reason"] else "done",
        halt_reason=state["halt_reason"],
        budget=budget,
        spent=spent,
        planned=first_plan.expected,
        bound_by=bound_by(left, better),
        lines=make_lines(
            first_plan, last_plan, outcomes, _overheads(run["id"], outcomes, services)
        ),
        decisions=tuple(decisions),
    )
    return {
        "draft": draft,
        "status": receipt.status,
        "receipt": receipt.to_state(),
        "spend": spent.to_state(),
        "messages": [AIMessage(draft, name="thrifty")] if draft else [],
    }


def _limits(run: Run, services: Services) -> Budget:
    """The limits of a run. A share that was given back, as before a run that goes back in time,
    has nothing left to limit; then what it was opened with is what there is to tell."""
    if run["common"]:
        share = services.ledger.entry(run["common"], run["id"])
        if share is not None and share.status == "returned":
            return Budget.from_state(run["budget"])
    return services.limits(run["id"])


def _better(steps: Sequence[Step], outcomes: Sequence[Outcome]) -> Iterator[StepOption]:
    """The options that would have been worth more than what was done of their step."""
    achieved = {outcome.step: outcome.option.value for outcome in outcomes if outcome.has_text}
    for step in steps:
        for option in step.options:
            if option.value > achieved.get(step.name, 0.0):
                yield option


def _overheads(
    run_id: str, outcomes: Sequence[Outcome], services: Services
) -> list[tuple[str, Spend]]:
    """What is on the bill beside the steps."""
    tried = {outcome.option.name for outcome in outcomes}
    charged: dict[str, Spend] = {}
    for entry in services.ledger.entries(run_id):
        if entry.label not in tried and entry.status != "released":
            charged[entry.label] = charged.get(entry.label, Spend()) + entry.charged
    return list(charged.items())
