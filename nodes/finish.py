"""Ends every run: the draft as far as it got, a status, and the receipt."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from thrifty.budget import Budget, Outcome, Plan, Spend, StepOption
from thrifty.budget.decision import Decision
from thrifty.budget.states import PlanState
from thrifty.budget.step import Role
from thrifty.ledger.idempotent_calls import charge_open_calls
from thrifty.ledger.records import Balance
from thrifty.models.costs.substitute import describe_substitute
from thrifty.nodes.context import Context
from thrifty.receipt.cut_short import limits_that_cut
from thrifty.receipt.receipt_data import Receipt, binding_limits, find_payer
from thrifty.receipt.receipt_lines import make_receipt_lines
from thrifty.receipt.verdict import EndFacts, Verdict, judge_end
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.fit_conversation import WHOLE_CONVERSATION
from thrifty.run.learning import remember
from thrifty.run.run_so_far import OVERRUNS
from thrifty.run.services import Services
from thrifty.run.worth_done import (
    lost_attempts,
    missed_options,
    repeated_value,
    replaced_steps,
    values_done,
)


class FinishInput(RunFacts):
    """What this node reads."""

    first_plan: PlanState | None
    kept_out: dict[str, dict[str, str]]
    halt_reason: str


class _Bill(NamedTuple):
    """What the ledger says of a run that has ended."""

    charged: Mapping[str, Spend]
    """By the option, or the other work, that it was for."""
    reserved: Mapping[str, Spend]
    """By the option, what its last call had reserved."""
    in_doubt_count: int
    """How many calls are charged in full. What could not be written down is so as well."""
    substitutes: Sequence[str]
    """Who answered in whose place, in words."""


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
    bill = _read_bill(run)
    decisions = [run.cache.read(Decision, decision) for decision in state["decisions"]]
    store = runtime.store if context.learn else None
    outcomes, steps = run.cache.outcomes, services.own_steps(state["run"])
    if remark := remember(store, run.id, outcomes, bill.charged, steps, run.estimator):
        decisions.append(Decision("options", remark, spent.latency_ms))
    structured = _answer_data(run)
    halt_reason = state["halt_reason"] or _why_unstructured(run, structured)
    plans = _first_and_last(state, run)
    verdict = _judge(halt_reason or run.passed_limit(), run, plans, bill)
    receipt = _make_receipt(state, verdict, run, plans, spent, bill, decisions)
    draft = run.draft().handed_over()
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
    verdict: Verdict,
    run: CurrentRun,
    plans: tuple[Plan, Plan],
    spent: Spend,
    bill: _Bill,
    decisions: Sequence[Decision],
) -> Receipt:
    first_plan, last_plan = plans
    balance, outcomes = run.services.ledger.balance(run.id), run.cache.outcomes
    values, overheads = values_done(run, last_plan), _overheads(run, bill.charged)
    limits = _binding_limits(state, verdict, run, bill, balance)
    accounts = tuple(dict.fromkeys(filter(None, limits.values())))
    receipt = Receipt(
        run_id=run.id,
        task=state["run"]["task"],
        status=verdict.status,
        halt_reason="; ".join([verdict.halt_reason, *accounts]) if verdict.halt_reason else "",
        budget=run.limits,
        spent=spent,
        planned=first_plan.expected,
        bound_by=tuple(limits),
        bound_by_accounts=accounts,
        lines=make_receipt_lines(
            first_plan, last_plan, outcomes, values, overheads, replaced_steps(run)
        ),
        decisions=tuple(decisions),
        cause=verdict.cause,
        warnings=verdict.warnings,
        account=find_payer(balance),
        repeated=repeated_value(run),
        uncounted=run.uncounted_tools,
    )
    return receipt.with_best(first_plan.best)


def _binding_limits(
    state: FinishInput, verdict: Verdict, run: CurrentRun, bill: _Bill, balance: Balance
) -> Mapping[str, str]:
    """The limits that kept something better out, each with the account that set it."""
    better, left = list(missed_options(run)), run.left()
    return binding_limits(
        better,
        [*_kept_out(state["kept_out"], better), *_limits_that_cut(run, bill, left, balance)],
        left,
        balance,
        run.remaining().totals().expected_spend,
        lost_attempts(run),
        verdict.cause,
    )


def _first_and_last(state: FinishInput, run: CurrentRun) -> tuple[Plan, Plan]:
    """The plan as first made, and the one in force."""
    last_plan = run.cache.read(Plan, state["plan"])
    first = state["first_plan"]
    return last_plan if first is None else run.cache.read(Plan, first), last_plan


def _judge(halt_reason: str, run: CurrentRun, plans: tuple[Plan, Plan], bill: _Bill) -> Verdict:
    facts = EndFacts(
        halt_reason=halt_reason,
        steps=run.steps(),
        outcomes=run.cache.outcomes,
        first_plan=plans[0],
        last_plan=plans[1],
        excluded=run.choices().excluded,
        model_access=run.model_access,
        left_out=run.facts["left_out"],
        is_offline=run.services.models.roles.is_offline,
        overruns=run.overruns(),
        in_doubt_count=bill.in_doubt_count,
        substitutes=bill.substitutes,
    )
    return judge_end(facts, run.model_access.executor_label)


def _last_written(run: CurrentRun, *roles: Role) -> Outcome | None:
    """The last text of a step that has one of these roles."""
    steps = run.steps_by_name()
    written = (outcome for outcome in reversed(run.cache.outcomes) if outcome.has_text)
    return next((each for each in written if steps[each.step].role in roles), None)


def _answer_data(run: CurrentRun) -> Any:
    """The last answer in the shape that is wanted. None where there is none."""
    if run.services.shape is None:
        return None
    answer = _last_written(run, "answer")
    return None if answer is None else answer.data


def _why_unstructured(run: CurrentRun, structured: Any) -> str:
    """Why there is no answer in the shape that is wanted. Empty where none is wanted."""
    if run.services.shape is None or structured is not None:
        return ""
    steps = run.steps_by_name()
    reasons = [o.reason for o in run.cache.failures if steps[o.step].role == "answer"]
    return "; ".join(["no answer has the shape that response_format wants", *reasons[-1:]])


def _answer(run: CurrentRun, draft: str) -> str:
    """What answers the task: the text of the step that does, or else the whole draft."""
    steps, last = run.steps_by_name(), _last_written(run, "answer", "revision")
    return last.text if last and steps[last.step].role == "answer" else draft


def _streamed_id(run: CurrentRun) -> str | None:
    """The id under which the whole draft was streamed as a message, so that it comes only once."""
    last = _last_written(run, "answer", "revision", "section")
    if last is None or run.steps_by_name()[last.step].role != "answer":
        return None
    return run.cache.message_ids.get(last.option.name)


def _close(run: CurrentRun) -> Spend:
    """Charges what nobody will settle any more. Returns what the run has spent in all."""
    charged = charge_open_calls(run.services.ledger, run.services.account(run.id))
    # A disk that failed at a step's end may have taken its bill since.
    run.cache.forget(OVERRUNS)
    return run.spent() + charged


def _kept_out(
    known: Mapping[str, dict[str, str]], better: Iterable[StepOption]
) -> list[dict[str, str]]:
    """The limits that kept out what would have been better: options, or messages."""
    names = {WHOLE_CONVERSATION, *(option.name for option in better)}
    return [limits for name, limits in known.items() if name in names]


def _limits_that_cut(
    run: CurrentRun, bill: _Bill, left: Budget, balance: Balance
) -> Iterator[dict[str, str]]:
    """The limits that an answer ran into, and who set them, where it was cut short."""
    answer = _last_written(run, "answer")
    if answer and answer.status == "cut" and (held := bill.reserved.get(answer.option.name)):
        names = limits_that_cut(answer, held, left)
        yield {name: balance.limited_by(name) for name in names}


def _read_bill(run: CurrentRun) -> _Bill:
    entries, charged = run.services.ledger.entries(run.id), dict[str, Spend]()
    reserved: dict[str, Spend] = {}
    for entry in entries:
        if entry.status != "released" and not entry.is_note:
            charged[entry.label] = charged.get(entry.label, Spend()) + entry.charged
            reserved[entry.label] = entry.reserved
    in_doubt_count = sum(entry.status in ("in_doubt", "pending") for entry in entries)
    told = filter(None, (describe_substitute(entry.answer) for entry in entries))
    return _Bill(charged, reserved, in_doubt_count, tuple(dict.fromkeys(told)))


def _overheads(run: CurrentRun, charged: Mapping[str, Spend]) -> list[tuple[str, Spend]]:
    """What is on the bill beside the steps."""
    tried = {outcome.option.name for outcome in run.cache.outcomes}
    paid = {label: spend for label, spend in charged.items() if spend != Spend()}
    return [(label, spend) for label, spend in paid.items() if label not in tried]
