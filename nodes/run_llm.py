"""Does one step with a language model."""

from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.runtime import Runtime

from thrifty.budget import Outcome, Spend
from thrifty.executors.llm import useful_tokens, write_with_model
from thrifty.executors.protocol import Work
from thrifty.models.calls.allowance import Allowance
from thrifty.nodes.context import Context
from thrifty.run.assignment import (
    NOT_RESERVED,
    ExecutorInput,
    read_assignment,
    remaining_ms_for,
    step_key,
)
from thrifty.run.check_attempt import check_attempt
from thrifty.run.events import event_base
from thrifty.run.run_so_far import RunSoFar
from thrifty.run.sent_state import facts_of
from thrifty.run.services import Services
from thrifty.run.stream_progress import ProgressHandler, about_messages

STOPPED: dict[str, Any] = {"status": "stopped", "reason": "the run was stopped meanwhile"}


def run_llm(
    state: ExecutorInput,
    runtime: Runtime[Context],
    config: RunnableConfig,
    *,
    run_id: str,
    services: Services,
) -> dict[str, Any]:
    """Writes a section or revises the draft; a failure is an outcome, not an exception."""
    known_ms = state["spend"]["latency_ms"]
    context, cache = Context.of(runtime.context), services.cache(run_id)
    run = RunSoFar(facts_of(state, config), context, services, run_id)
    work, reserved, untouched = read_assignment(state, run_id, run.results(), run.draft(), services)
    prompt = context.step_prompt(work, run.model_access.role_of(work.option))
    started_ms = services.runs.active_ms(run_id, known_ms)
    progress = ProgressHandler(
        runtime.stream_writer, work.option, lambda: event_base(run_id, known_ms, services)
    )
    about = about_messages(work.option, state["assignment"]["answers"])
    handled = merge_configs(config, {"callbacks": [progress], "metadata": about})
    if reserved is None:
        outcome = Outcome(work.option, "failed", reason=NOT_RESERVED)
    else:
        allowance = _allowance(state, work, reserved, prompt.role, run_id, services)
        outcome = write_with_model(work, prompt, services.models, allowance, handled)
    if progress.message_id:
        cache.message_ids[work.option.name] = progress.message_id
    charged_before = cache.read(Spend, state["assignment"]["charged_before"])
    outcome = check_attempt(outcome, work, run)
    # Where somebody asked LangGraph to stop, the step is not to blame. A resume tries it again.
    outcome = replace(
        outcome,
        **(STOPPED if outcome.status == "failed" and runtime.drain_requested else {}),
        # What follows in the draft and was too long to be revised as well stays as it was.
        text=outcome.text + (f"\n\n{untouched}" if untouched and outcome.has_text else ""),
        actual=_of_this_attempt(outcome.actual, charged_before),
        started_ms=started_ms,
        ended_ms=services.runs.active_ms(run_id, known_ms),
    )
    return {"outcomes": [cache.write(outcome)]}


def _allowance(
    state: ExecutorInput, work: Work, reserved: Spend, role: str, run_id: str, services: Services
) -> Allowance:
    return Allowance(
        ledger=services.ledger,
        account=services.account(run_id),
        key=step_key(work.option, services),
        label=work.option.name,
        limit=reserved,
        left_ms=lambda limits: remaining_ms_for(state, run_id, limits, services),
        useful_tokens=useful_tokens(work, services.models.roles[role]),
    )


def _of_this_attempt(charged: Spend, before: Spend) -> Spend:
    """What this attempt alone was charged.

    The ledger's entries are those of all attempts at the work. The outcomes of those that were
    stopped say already what they were charged.
    """
    if before == Spend():
        return charged
    pairs = zip(charged.amounts, before.amounts, strict=True)
    # A late reconciliation may have lowered what an earlier attempt was charged.
    return Spend(*(max(0, of_all - known) for of_all, known in pairs))
