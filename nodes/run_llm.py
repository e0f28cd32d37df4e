"""Does one step with a language model."""

from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from thrifty.budget import Spend, StepOption
from thrifty.budget.states import SpendState
from thrifty.executors.llm import useful_tokens, words_wanted, write
from thrifty.executors.protocol import Work
from thrifty.models.agent_models import ModelPrompt
from thrifty.models.allowance import Allowance
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import terms_of
from thrifty.nodes.progress import Progress
from thrifty.nodes.services import Services
from thrifty.nodes.state import Assignment, Run
from thrifty.nodes.teller import moment_of
from thrifty.prompts import render

NO_DRAFT = "(nothing yet)"
STOPPED = "the run was stopped meanwhile"


class Sent(TypedDict):
    """What `route` sends to an executor."""

    run: Run
    assignment: Assignment
    spend: SpendState
    """As of when the wave was sent."""


def run_llm(
    state: Sent, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Writes a section or revises the draft; a failure is an outcome, not an exception."""
    context = Context.of(runtime.context)
    work = work_of(state)
    model = terms_of(state["run"], context, services).model_of(work.option)
    prompt = ModelPrompt(model, _prompt(work, context), context.effort)
    allowance = _allowance(state, useful_tokens(work, model), services)
    started_ms = moment_of(state, services)["at_ms"]
    progress = Progress(runtime.stream_writer, work.option, lambda: moment_of(state, services))
    watched = merge_configs(config, {"callbacks": [progress]})
    outcome = write(work, prompt, services.models, allowance, watched)
    # The work's entries are those of all attempts; this one's are what the others did not tell.
    told = Spend.from_state(state["assignment"].get("told", {}))
    pairs = zip(outcome.actual.amounts, told.amounts, strict=True)
    outcome = replace(outcome, actual=Spend(*(max(0, charged - known) for charged, known in pairs)))
    if outcome.status == "failed" and runtime.drain_requested:
        outcome = replace(outcome, status="stopped", reason=STOPPED)
    if outcome.has_text and (rest := state["assignment"]["untouched"]):
        outcome = replace(outcome, text=f"{outcome.text}\n\n{rest}")
    outcome = replace(outcome, started_ms=started_ms, ended_ms=moment_of(state, services)["at_ms"])
    return {"outcomes": [outcome.to_state()]}


def work_of(state: Sent) -> Work:
    """The piece of work that an assignment is."""
    assignment = state["assignment"]
    return Work(
        task=state["run"]["task"],
        option=StepOption.from_state(assignment["option"]),
        draft=assignment["draft"],
        revises=assignment["revises"],
    )


def _prompt(work: Work, context: Context) -> str:
    kind = str(work.option.payload.get("prompt", "generic"))
    values = {
        "task": work.task,
        "assignment": work.option.description,
        "draft": work.draft or NO_DRAFT,
        "words": str(words_wanted(work)),
    }
    return render(context.prompts.get(kind, context.generic_prompt), values)


def _allowance(state: Sent, useful_tokens: int, services: Services) -> Allowance:
    assignment = state["assignment"]
    option = StepOption.from_state(assignment["option"])
    return Allowance(
        ledger=services.ledger,
        account=services.account(state["run"]["id"]),
        key=assignment["key"],
        label=option.name,
        limit=Spend.from_state(assignment["reserved"]),
        left_ms=lambda: left_for(state, services),
        useful_tokens=useful_tokens,
    )


def left_for(state: Sent, services: Services) -> int | None:
    """The time that is left for an assignment; None without a limit."""
    left_ms = services.left_ms(state["run"]["id"], state["spend"]["latency_ms"])
    return None if left_ms is None else max(0, left_ms - state["assignment"]["kept_ms"])
