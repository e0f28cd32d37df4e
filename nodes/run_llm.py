"""Does one step with a language model."""

from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.runtime import Runtime

from thrifty.budget import Outcome, Spend
from thrifty.executors.llm import useful_tokens, words_wanted, write
from thrifty.executors.protocol import Work
from thrifty.models.metered import Allowance, Request
from thrifty.nodes.context import Context
from thrifty.prompts import render
from thrifty.run.active_time import active_ms
from thrifty.run.assignment import ExecutorInput, remaining_ms_for, reserved_for, work_of
from thrifty.run.choices import terms_of
from thrifty.run.events import event_base
from thrifty.run.services import Services
from thrifty.run.stream_progress import ProgressHandler

NO_DRAFT = "(nothing yet)"
STOPPED = "the run was stopped meanwhile"


def run_llm(
    state: ExecutorInput, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Writes a section or revises the draft; a failure is an outcome, not an exception."""
    context, cache = Context.of(runtime.context), services.cache(state["run"]["id"])
    work = work_of(state, services)
    model = terms_of(state["run"], context, services).model_of(work.option)
    request = Request(model, _prompt(work, context), context.effort)
    allowance = _allowance(state, work, useful_tokens(work, model), services)
    started_ms = active_ms(state, services)
    progress = ProgressHandler(
        runtime.stream_writer, work.option, lambda: event_base(state, services)
    )
    handled = merge_configs(config, {"callbacks": [progress]})
    outcome = write(work, request, services.models, allowance, handled)
    charged_before = cache.read(Spend, state["assignment"]["charged_before"])
    outcome = _of_this_attempt(outcome, charged_before, state["assignment"]["untouched"])
    # Somebody asked LangGraph to stop. The step is not to blame, and a resume tries it again.
    if outcome.status == "failed" and runtime.drain_requested:
        outcome = replace(outcome, status="stopped", reason=STOPPED)
    outcome = replace(outcome, started_ms=started_ms, ended_ms=active_ms(state, services))
    return {"outcomes": [cache.write(outcome)]}


def _prompt(work: Work, context: Context) -> str:
    kind = str(work.option.payload.get("prompt", "generic"))
    values = {
        "task": work.task,
        "assignment": work.option.description,
        "draft": work.draft or NO_DRAFT,
        "words": str(words_wanted(work)),
    }
    return render(context.prompts.get(kind, context.generic_prompt), values)


def _allowance(
    state: ExecutorInput, work: Work, useful_tokens: int, services: Services
) -> Allowance:
    return Allowance(
        ledger=services.ledger,
        account=services.account(state["run"]["id"]),
        key=state["assignment"]["key"],
        label=work.option.name,
        envelope=reserved_for(state, services),
        left_ms=lambda: remaining_ms_for(state, services),
        useful_tokens=useful_tokens,
    )


def _of_this_attempt(outcome: Outcome, charged_before: Spend, untouched: str) -> Outcome:
    """The outcome with the spend of this attempt alone, and with what was not to be revised.

    The entries of the work are those of all its attempts. Those that were stopped have said
    already what they were charged.
    """
    pairs = zip(outcome.actual.amounts, charged_before.amounts, strict=True)
    # A late reconciliation may have lowered what an earlier attempt was charged.
    actual = Spend(*(max(0, charged - before) for charged, before in pairs))
    text = outcome.text
    if outcome.has_text and untouched:
        text = f"{text}\n\n{untouched}"
    return replace(outcome, actual=actual, text=text)
