"""Does one step with code: the built-in templates, or an executor that the user registered."""

from dataclasses import replace
from typing import Any

from thrifty.budget import BudgetExceeded, Outcome, Spend, ThriftyError
from thrifty.budget.clock import elapsed_ms, now_ns
from thrifty.budget.plain_text import strip_unprintable
from thrifty.executors.protocol import Result, Work
from thrifty.ledger.idempotent_calls import (
    find_or_reserve,
    fingerprint,
    release_call,
    settle_call,
    try_mark_sent,
)
from thrifty.ledger.records import Entry
from thrifty.models.guard.callback_guard import guard_calls
from thrifty.models.guard.step_account import StepAccount, enclosing_account
from thrifty.run.assignment import (
    NOT_RESERVED,
    ExecutorInput,
    read_assignment,
    remaining_ms_for,
    step_key,
)
from thrifty.run.services import Services

ALREADY_TRIED = "it was tried before, and left nothing"


def run_local(state: ExecutorInput, *, run_id: str, services: Services) -> dict[str, Any]:
    """Runs the executor and settles what it used. A failure is an outcome, not an exception.

    Work that was done before, in a run that is resumed or forked, is not done again.
    """
    known_ms = state["spend"]["latency_ms"]
    started_ms = services.runs.active_ms(run_id, known_ms)
    outcome = _run_once(state, run_id, services)
    ended_ms = services.runs.active_ms(run_id, known_ms)
    outcome = replace(outcome, started_ms=started_ms, ended_ms=ended_ms)
    return {"outcomes": [services.cache(run_id).write(outcome)]}


def _run_once(state: ExecutorInput, run_id: str, services: Services) -> Outcome:
    work, reserved = read_assignment(state, run_id, services)
    if reserved is None:
        return Outcome(work.option, "failed", reason=NOT_RESERVED)
    account, ledger = services.account(run_id), services.ledger
    request = fingerprint(work.task, work.option.to_state(), work.draft)
    key = step_key(work.option)
    try:
        entry = find_or_reserve(ledger, account, key, work.option.name, reserved, request)
    except BudgetExceeded as error:  # a fork's work needs money of its own
        return Outcome(work.option, "failed", reason=str(error))
    if entry.status == "unsent" and try_mark_sent(ledger, account, entry):
        return _run_reserved(state, work, entry, run_id, services)
    if entry.answer:
        return Outcome(work.option, "done", entry.answer, entry.charged)
    return Outcome(work.option, "failed", "", entry.charged, ALREADY_TRIED)


def _run_reserved(
    state: ExecutorInput, work: Work, entry: Entry, run_id: str, services: Services
) -> Outcome:
    """Runs it within its reservation, which also the step has to hold that this run is part of."""
    account, ledger = services.account(run_id), services.ledger
    outer = enclosing_account(ledger, account)
    try:
        outer_key = outer.reserve(entry.label, entry.reserved) if outer else ""
    except ThriftyError as error:
        release_call(ledger, account, entry)
        return Outcome(work.option, "failed", reason=str(error))
    # More may be reserved than is declared, where bills came to more. It is no bill itself.
    declared = Spend(*map(min, entry.reserved.amounts, work.option.estimate.amounts))
    # What the executor's own calls may use: the reservation, of all that the run limits.
    calls = StepAccount(
        services.limits_in_force(run_id).limited_to(entry.reserved),
        lambda: remaining_ms_for(state, run_id, services.limits(run_id), services),
    )
    outcome = _call_executor(work, declared, calls, services)
    settle_call(ledger, account, entry, outcome.actual, outcome.text)
    if outer:
        outer.note_metered()
        outer.settle(outer_key, outcome.actual)
    return outcome


def _call_executor(work: Work, declared: Spend, calls: StepAccount, services: Services) -> Outcome:
    started_ns = now_ns()
    try:
        with guard_calls(calls, services.models.prices.pin()):
            result = services.executors[work.option.executor](work)
    except Exception as error:  # noqa: BLE001 - it is somebody else's code
        outcome = Outcome(work.option, "failed", actual=calls.bill(declared), reason=_reason(error))
    else:
        outcome = _read_result(work, result, calls, declared)
    # Time is measured here, whatever the executor says of it.
    latency_ms = elapsed_ms(started_ns)
    return replace(outcome, actual=replace(outcome.actual, latency_ms=latency_ms))


def _read_result(work: Work, result: Result | str, calls: StepAccount, declared: Spend) -> Outcome:
    """A bare text is charged what its calls came to, or else what was declared."""
    if isinstance(result, str):
        written, spend = result, calls.bill(declared)
    else:
        written, spend = result.text, calls.at_least(result.spend)
    text = strip_unprintable(written).strip()
    if not text:
        return Outcome(work.option, "failed", "", spend, "it wrote nothing")
    if refusal := calls.refusal or calls.declined:
        return Outcome(work.option, "cut", text, spend, f"its calls were stopped: {refusal}")
    return Outcome(work.option, "done", text, spend)


def _reason(error: Exception) -> str:
    """Only the kind of a foreign error, as its message may hold what nobody should read."""
    return str(error) if isinstance(error, ThriftyError) else f"it raised {type(error).__name__}"
