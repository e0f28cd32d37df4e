"""Does one step with code: the built-in templates, or an executor that the user registered."""

import time
from dataclasses import replace
from typing import Any

from thrifty.budget import BudgetExceeded, Outcome, Spend, ThriftyError
from thrifty.budget.plain_text import plain
from thrifty.executors.protocol import Result, Work
from thrifty.ledger.booking import entry_for, fingerprint
from thrifty.nodes.run_llm import Sent, work_of
from thrifty.nodes.services import Services

TRIED = "it was tried before, and left nothing"


def run_local(state: Sent, *, services: Services) -> dict[str, Any]:
    """Runs the executor and books what it used; a failure is an outcome, not an exception.

    Work that was done before, in a run that is resumed or forked, is not done again.
    """
    work = work_of(state)
    account, ledger = state["run"]["id"], services.ledger
    reserved = Spend.from_state(state["assignment"]["reserved"])
    request = fingerprint(work.task, work.option.to_state(), work.draft)
    key = state["assignment"]["key"]
    try:
        entry = entry_for(ledger, account, key, work.option.name, reserved, request)
    except BudgetExceeded as error:  # a fork's work needs money of its own
        outcome = Outcome(work.option, "failed", reason=str(error))
        return {"outcomes": [outcome.to_state()]}
    if entry.status == "unsent":
        ledger.mark_sent(account, entry.key)
        outcome = _run(work, reserved, services)
        ledger.settle(account, entry.key, outcome.actual, outcome.text)
    elif entry.answer:
        outcome = Outcome(work.option, "done", entry.answer, entry.charged)
    else:
        outcome = Outcome(work.option, "failed", "", entry.charged, TRIED)
    return {"outcomes": [outcome.to_state()]}


def _run(work: Work, reserved: Spend, services: Services) -> Outcome:
    started_ns = time.monotonic_ns()
    try:
        result = services.executors[work.option.executor](work)
    except Exception as error:  # noqa: BLE001 - it is somebody else's code
        outcome = Outcome(work.option, "failed", actual=reserved, reason=_told(error))
    else:
        outcome = _done(work, result, reserved)
    latency_ms = (time.monotonic_ns() - started_ns) // 1_000_000
    return replace(outcome, actual=replace(outcome.actual, latency_ms=latency_ms))


def _done(work: Work, result: Result | str, reserved: Spend) -> Outcome:
    """A bare text used what was declared; a result says itself what it used."""
    if isinstance(result, str):
        result = Result(result, reserved)
    text = plain(result.text).strip()
    if text:
        return Outcome(work.option, "done", text, result.spend)
    return Outcome(work.option, "failed", "", result.spend, "it wrote nothing")


def _told(error: Exception) -> str:
    """The kind of an error alone, as its message may hold what nobody should read; ours says."""
    return str(error) if isinstance(error, ThriftyError) else f"it raised {type(error).__name__}"
