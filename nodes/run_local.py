"""Does one step with code: the built-in templates, or an executor that the user registered."""

import time
from dataclasses import replace
from typing import Any

from thrifty.budget import Outcome, Spend, ThriftyError
from thrifty.budget.plain_text import plain
from thrifty.executors.protocol import Result, Work
from thrifty.models.metered import attempt_key
from thrifty.nodes.run_llm import Sent, work_of
from thrifty.nodes.services import Services


def run_local(state: Sent, *, services: Services) -> dict[str, Any]:
    """Runs the executor and books what it used; a failure is an outcome, not an exception."""
    work = work_of(state)
    reserved = Spend.from_state(state["assignment"]["reserved"])
    started_ns = time.monotonic_ns()
    try:
        result = services.executors[work.option.executor](work)
    except Exception as error:  # noqa: BLE001 - it is somebody else's code
        outcome = Outcome(work.option, "failed", actual=reserved, reason=_told(error))
    else:
        outcome = _done(work, result, reserved)
    latency_ms = (time.monotonic_ns() - started_ns) // 1_000_000
    outcome = replace(outcome, actual=replace(outcome.actual, latency_ms=latency_ms))
    key = attempt_key(state["assignment"]["key"], 1)
    services.ledger.settle(state["run"]["id"], key, outcome.actual)
    return {"outcomes": [outcome.to_state()]}


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
