"""Ends every run: the draft as far as it got, a status, and the receipt."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from thrifty.budget import Outcome, Plan, Spend, StepOption
from thrifty.budget.decision import Decision
from thrifty.budget.states import PlanState
from thrifty.ledger.idempotent_calls import charge_open_calls
from thrifty.nodes.context import Context
from thrifty.receipt.receipt_data import (
    Receipt,
    binding_accounts,
    binding_limits,
    find_payer,
    make_receipt_lines,
)
from thrifty.receipt.verdict import EndFacts, judge_end
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.learning import remember
from thrifty.run.services import Services


class FinishInput(RunFacts):
    """What this node reads."""

    first_plan: PlanState | None
    kept_out: dict[str, list[str]]
    halt_reason: str


def finish(
    state: FinishInput,
    runtime: Runtime[Context],
    *,
    run_id: str,
    services: Services,
) -> dict[str, Any]:
    """Composes the draft, judges how the run ended, and writes the receipt."""
    context = Context.of(runtime.context)
    run = CurrentRun(state, context, services, run_id)
    spent = _close(run)
    charged = _charged_by_label(run)
    decisions = [run.cache.read(Decision, decision) for decision in state["decisions"]]
    store = runtime.store if context.learn else None
    outcomes, steps = run.cache.outcomes, services.steps(state["run"], run.id)
    if remark := remember(store, run.id, outcomes, charged, steps, run.estimator):
        decisions.append(Decision("options", remark, spent.latency_ms))
    structured = _answer_data(run)
    halt_reason = state["halt_reason"] or _why_unstructured(run, structured)
    receipt = _make_receipt(state, halt_reason, run, spent, charged, decisions)
    draft = str(run.draft())
    return {
        "answer": _answer(run, draft),
        "draft": draft,
        "results": run.results().to_state(),
        "structured": structured,
        "status": receipt.status,
        "halt_reason": receipt.halt_reason,
        "receipt": receipt.to_state(),
        "spend": spent.to_state(),
        "messages": [AIMessage(draft, name="thrifty", id=_streamed_id(run))] if draft else [],
    }


def _make_receipt(
    state: FinishInput,
    halt_reason: str,
    run: CurrentRun,
    spent: Spend,
    charged: Mapping[str, Spend],
    decisions: Sequence[Decision],
) -> Receipt:
    first_plan = run.cache.read(Plan, state["first_plan"] or state["plan"])
    last_plan = run.cache.read(Plan, state["plan"])
    outcomes, balance = run.cache.outcomes, run.services.ledger.balance(run.id)
    missed, lost = list(_missed_options(run)), list(_lost_attempts(run))
    accounts = binding_accounts(balance, missed)
    facts = _end_facts(halt_reason or run.passed_limit(), run, first_plan, last_plan)
    verdict = judge_end(facts, run.model_access.executor_label)
    return Receipt(
        run_id=run.id,
        task=state["run"]["task"],
        status=verdict.status,
        halt_reason="; ".join([verdict.halt_reason, *accounts]) if verdict.halt_reason else "",
        budget=run.limits,
        spent=spent,
        planned=first_plan.expected,
        bound_by=binding_limits(
            missed,
            state["kept_out"],
            run.left(),
            run.remaining().totals().expected_spend,
            lost,
            verdict.cause,
        ),
        bound_by_accounts=accounts,
        lines=make_receipt_lines(first_plan, last_plan, outcomes, _overheads(run, charged)),
        decisions=tuple(decisions),
        cause=verdict.cause,
        warnings=verdict.warnings,
        account=find_payer(balance),
    )


def _end_facts(halt_reason: str, run: CurrentRun, first_plan: Plan, last_plan: Plan) -> EndFacts:
    entries = run.services.ledger.entries(run.id)
    return EndFacts(
        halt_reason=halt_reason,
        steps=run.steps(),
        outcomes=run.cache.outcomes,
        first_plan=first_plan,
        last_plan=last_plan,
        excluded=run.choices().excluded,
        model_access=run.model_access,
        left_out=run.facts["left_out"],
        is_offline=run.services.models.roles.is_offline,
        overruns=run.overruns(),
        # What could not be written down is charged in full as well.
        in_doubt_count=sum(entry.status in ("in_doubt", "pending") for entry in entries),
    )


def _answer_data(run: CurrentRun) -> Any:
    """The last answer in the shape that is wanted. None where there is none."""
    if run.services.shape is None:
        return None
    steps = run.steps_by_name()
    for outcome in reversed(run.cache.outcomes):
        if outcome.has_text and steps[outcome.step].role == "answer":
            return outcome.data
    return None


def _why_unstructured(run: CurrentRun, structured: Any) -> str:
    """Why there is no answer in the shape that is wanted. Empty where none is wanted."""
    if run.services.shape is None or structured is not None:
        return ""
    steps = run.steps_by_name()
    reasons = [o.reason for o in run.cache.failures if steps[o.step].role == "answer"]
    return "; ".join(["no answer has the shape that response_format wants", *reasons[-1:]])


def _answer(run: CurrentRun, draft: str) -> str:
    """What answers the task: the text of the step that does, or else the whole draft."""
    roles = {name: step.role for name, step in run.steps_by_name().items()}
    for outcome in reversed(run.cache.outcomes):
        if outcome.has_text and roles[outcome.step] == "answer":
            return outcome.text
        if outcome.has_text and roles[outcome.step] == "revision":
            break
    else:
        if "answer" in roles.values():
            return ""
    return draft


def _streamed_id(run: CurrentRun) -> str | None:
    """The id under which the whole draft was streamed as a message, so that it comes only once."""
    written = [outcome for outcome in run.cache.outcomes if outcome.has_text]
    if len(written) != 1 or run.steps_by_name()[written[0].step].role != "answer":
        return None
    return run.cache.message_ids.get(written[0].option.name)


def _close(run: CurrentRun) -> Spend:
    """Charges what nobody will settle any more. Returns what the run has spent in all."""
    charged = charge_open_calls(run.services.ledger, run.services.account(run.id))
    return run.spent() + charged


def _values_done(run: CurrentRun) -> dict[str, float]:
    """By its step, what it was worth to do it."""
    done = (outcome for outcome in run.cache.outcomes if outcome.has_text)
    return {outcome.step: outcome.option.value for outcome in done}


def _missed_options(run: CurrentRun) -> Iterator[StepOption]:
    """The options that could have been had, and would have been worth more than what was done."""
    achieved = _values_done(run)
    for step in run.choices().offered:
        for option in step.options:
            if option.value > achieved.get(step.name, 0.0):
                yield option


def _lost_attempts(run: CurrentRun) -> Iterator[Outcome]:
    """The attempts in vain at what would have been worth more than what was done."""
    achieved = _values_done(run)
    for outcome in run.cache.failures:
        if outcome.option.value > achieved.get(outcome.step, 0.0):
            yield outcome


def _charged_by_label(run: CurrentRun) -> dict[str, Spend]:
    """What is on the bill, by the option or the other work that it was for."""
    charged: dict[str, Spend] = {}
    for entry in run.services.ledger.entries(run.id):
        if entry.status != "released" and not entry.is_note:
            charged[entry.label] = charged.get(entry.label, Spend()) + entry.charged
    return charged


def _overheads(run: CurrentRun, charged: Mapping[str, Spend]) -> list[tuple[str, Spend]]:
    """What is on the bill beside the steps."""
    tried = {outcome.option.name for outcome in run.cache.outcomes}
    return [(label, spend) for label, spend in charged.items() if label not in tried]
