"""Does one step with a language model."""

from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from thrifty.budget import Spend, StepOption
from thrifty.executors.llm import useful_tokens, words_wanted, write
from thrifty.executors.protocol import Work
from thrifty.models.metered import Allowance, Request
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import terms_of
from thrifty.nodes.services import Services
from thrifty.nodes.state import Assignment, Run
from thrifty.prompts import render

NO_DRAFT = "(nothing yet)"


class Sent(TypedDict):
    """What `route` sends to an executor."""

    run: Run
    assignment: Assignment
    latency_ms: int
    """The run's active time when the wave was sent."""


def run_llm(
    state: Sent, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Writes a section or revises the draft; a failure is an outcome, not an exception."""
    context = Context.of(runtime.context)
    work = work_of(state)
    model = terms_of(state["run"], context, services).model_of(work.option)
    request = Request(model, _prompt(work, context), context.effort)
    allowance = _allowance(state, useful_tokens(work, model), services)
    outcome = write(work, request, services.models, allowance, config)
    if outcome.has_text and (rest := state["assignment"]["untouched"]):
        outcome = replace(outcome, text=f"{outcome.text}\n\n{rest}")
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
        account=state["run"]["id"],
        key=assignment["key"],
        label=option.name,
        envelope=Spend.from_state(assignment["reserved"]),
        left_ms=lambda: services.left_ms(state["run"]["id"], state["latency_ms"]),
        useful_tokens=useful_tokens,
    )
