"""Ends every run: the draft as far as it got, a status, and the receipt."""

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from thrifty.budget import Plan, Spend, StepOption
from thrifty.budget.decision import Decision
from thrifty.budget.states import PlanState
from thrifty.ledger.idempotent_calls import charge_open_calls
from thrifty.nodes.context import Context
from thrifty.receipt.receipt_data import (
    Receipt,
    binding_accounts,
    binding_resources,
    make_receipt_lines,
)
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.learning import remember
from thrifty.run.services import Services


class FinishInput(RunFacts):
    """What this node reads."""

    first_plan: PlanState | None
    halt_reason: str


def finish(
    state: FinishInput,
    runtime: Runtime[Context],
    *,
    run_id: str,
    services: Services,
) -> dict[str, Any]:
    """Composes the draft and writes the receipt."""
    context = Context.of(runtime.context)
    run = CurrentRun(state, context, services, run_id)
    cache, outcomes = run.cache, run.cache.outcomes
    spent, budget = _close(run), run.limits
    missed = list(_missed_options(run))
    accounts = binding_accounts(services.ledger.balance(run.id), missed)
    decisions = [cache.read(Decision, decision) for decision in state["decisions"]]
    store, charged = runtime.store if context.learn else None, _charged_by_label(run)
    if remark := remember(store, run.id, outcomes, charged, services.steps, run.model_access):
        decisions.append(Decision("options", remark, spent.latency_ms))
    first_plan = cache.read(Plan, state["first_plan"] or state["plan"])
    last_plan = cache.read(Plan, state["plan"])
    receipt = Receipt(
        run_id=run.id,
        task=state["run"]["task"],
        status="halted" if state["halt_reason"] else "done",
        halt_reason="; ".join([state["halt_reason"], *accounts]) if state["halt_reason"] else "",
        budget=budget,
        spent=spent,
        planned=first_plan.expected,
        bound_by=binding_resources(run.left(), missed),
        bound_by_accounts=accounts,
        lines=make_receipt_lines(first_plan, last_plan, outcomes, _overheads(run, charged)),
        decisions=tuple(decisions),
    )
    draft = str(run.draft())
    return {
        "draft": draft,
        "status": receipt.status,
        "receipt": receipt.to_state(),
        "spend": spent.to_state(),
        "messages": [AIMessage(draft, name="thrifty")] if draft else [],
    }


def _close(run: CurrentRun) -> Spend:
    """Charges what nobody will settle any more. Returns what the run has spent in all."""
    charged = charge_open_calls(run.services.ledger, run.services.account(run.id))
    return run.spent() + charged


def _missed_options(run: CurrentRun) -> Iterator[StepOption]:
    """The options that could have been had, and would have been worth more than what was done."""
    outcomes = run.cache.outcomes
    achieved = {outcome.step: outcome.option.value for outcome in outcomes if outcome.has_text}
    for step in run.choices().offered:
        for option in step.options:
            if option.value > achieved.get(step.name, 0.0):
                yield option


def _charged_by_label(run: CurrentRun) -> dict[str, Spend]:
    """What is on the bill, by the option or the other work that it was for."""
    charged: dict[str, Spend] = {}
    for entry in run.services.ledger.entries(run.id):
        if entry.status != "released":
            charged[entry.label] = charged.get(entry.label, Spend()) + entry.charged
    return charged


def _overheads(run: CurrentRun, charged: Mapping[str, Spend]) -> list[tuple[str, Spend]]:
    """What is on the bill beside the steps."""
    tried = {outcome.option.name for outcome in run.cache.outcomes}
    return [(label, spend) for label, spend in charged.items() if label not in tried]
