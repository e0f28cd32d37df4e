"""Ends every run: the draft as far as it got, a status, and the receipt."""

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from thrifty.budget import Budget, Outcome, Plan, Spend, Step, StepOption
from thrifty.budget.decision import Decision
from thrifty.budget.states import DecisionState, PlanState
from thrifty.executors.model_access import ModelAccess
from thrifty.ledger.idempotent_calls import charge_open_calls
from thrifty.nodes.context import Context
from thrifty.options.availability import price_steps
from thrifty.receipt.receipt_data import Receipt, ReceiptLine, binding_resources, make_receipt_lines
from thrifty.run.all_steps import all_steps, steps_in_order
from thrifty.run.choices import terms_of
from thrifty.run.exclusions import exclusion_rule
from thrifty.run.facts import Run, RunFacts
from thrifty.run.learning import remember
from thrifty.run.services import Services


class FinishInput(RunFacts):
    """What this node reads."""

    plan: PlanState
    first_plan: PlanState | None
    decisions: list[DecisionState]
    halt_reason: str


def finish(state: FinishInput, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Composes the draft and writes the receipt."""
    run, context, cache = state["run"], Context.of(runtime.context), services.cache_of(state)
    terms = terms_of(run, context, services)
    spent, budget = _close(state, services)
    decisions = [cache.read(Decision, decision) for decision in state["decisions"]]
    store = runtime.store if context.learn else None
    if remark := remember(store, run["id"], cache.outcomes, services.steps, terms):
        decisions.append(Decision("options", remark, spent.latency_ms))
    receipt = Receipt(
        run_id=run["id"],
        task=run["task"],
        status="halted" if state["halt_reason"] else "done",
        halt_reason=state["halt_reason"],
        budget=budget,
        spent=spent,
        planned=cache.read(Plan, state["first_plan"] or state["plan"]).expected,
        bound_by=binding_resources(
            budget.left_after(spent), _missed_options(state, terms, services)
        ),
        lines=_lines(state, services),
        decisions=tuple(decisions),
    )
    draft = str(cache.draft(lambda: steps_in_order(state, services)))
    return {
        "draft": draft,
        "status": receipt.status,
        "receipt": receipt.to_state(),
        "spend": spent.to_state(),
        "messages": [AIMessage(draft, name="thrifty")] if draft else [],
    }


def _close(state: FinishInput, services: Services) -> tuple[Spend, Budget]:
    """Settles the account of the run; returns what was spent, and the limits."""
    run = state["run"]
    # What nobody will settle any more is charged before the bill is read.
    unbooked = charge_open_calls(services.ledger, services.account(run["id"]))
    spent = services.spend(run["id"], state["spend"]["latency_ms"]) + unbooked
    # Read before the share is given back, which leaves nothing to limit.
    budget = _limits(run, services)
    if run["common"]:
        services.ledger.reclaim(run["common"], run["id"])
    return spent, budget


def _limits(run: Run, services: Services) -> Budget:
    """The limits of a run. A share that was given back, as before a run that goes back in time,
    has nothing left to limit; then what it was opened with is what there is to tell."""
    if run["common"]:
        share = services.ledger.entry(run["common"], run["id"])
        if share is not None and share.status == "returned":
            return Budget.from_state(run["budget"])
    return services.limits(run["id"])


def _missed_options(
    state: FinishInput, terms: ModelAccess, services: Services
) -> Iterator[StepOption]:
    """The options that could have been had, and would have been worth more than what was done."""
    outcomes = services.cache_of(state).outcomes
    why_excluded = exclusion_rule(outcomes, state["left_out"])
    steps = price_steps(all_steps(state, services), terms)
    for option in _better_options(steps, outcomes):
        if not (why_excluded(option) or terms.unavailable_reason(option)):
            yield option


def _better_options(steps: Sequence[Step], outcomes: Sequence[Outcome]) -> Iterator[StepOption]:
    """The options that would have been worth more than what was done of their step."""
    achieved = {outcome.step: outcome.option.value for outcome in outcomes if outcome.has_text}
    for step in steps:
        for option in step.options:
            if option.value > achieved.get(step.name, 0.0):
                yield option


def _lines(state: FinishInput, services: Services) -> tuple[ReceiptLine, ...]:
    cache = services.cache_of(state)
    last_plan = cache.read(Plan, state["plan"])
    first_plan = cache.read(Plan, state["first_plan"] or state["plan"])
    overheads = _overheads(state["run"]["id"], cache.outcomes, services)
    return make_receipt_lines(first_plan, last_plan, cache.outcomes, overheads)


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
