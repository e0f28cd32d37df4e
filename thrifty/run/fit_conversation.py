"""Fits the conversation that a run answers into what it may spend, by a rule that it declares."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from langchain_core.messages import AnyMessage, HumanMessage

from thrifty.budget import InvalidInput, Plan
from thrifty.models.roles.asked import Asked
from thrifty.options.recipe import ANSWER
from thrifty.run.conversation import measure, message_ids, read_conversation, trim_oldest
from thrifty.run.facts import Run
from thrifty.run.new_run import NewRun
from thrifty.run.run_input import RunInput
from thrifty.run.run_so_far import RunSettings
from thrifty.run.services import Services

Trim = Literal["oldest", "never"]
WHOLE_CONVERSATION = "the whole conversation"
"""What a limit kept out, where messages were left out: named beside options."""


class TrimSettings(RunSettings, Protocol):
    """The fields of a run's context that are read here. The context says what they mean."""

    trim: Trim


class FittedRun(NamedTuple):
    """A run with the conversation that it answers."""

    run: Run
    remark: str = ""
    """What was left out of it. Empty where nothing was."""
    kept_out: Mapping[str, dict[str, str]] = MappingProxyType({})
    """By that, the limits that did not hold it, each with who set it."""


def fit_conversation(
    run: Run,
    given: RunInput,
    run_id: str,
    settings: TrimSettings,
    services: Services,
) -> FittedRun:
    """Leaves out the oldest messages where an answer to all of them does not fit in the budget.

    Args:
        run: as it was accepted. One that follows a recipe reads its task alone.
        given: what it was asked: the whole conversation, and the documents that go with it.
        run_id: the run's account.
        settings: of its context.
        services: with who can answer.

    Raises:
        InvalidInput: it would have to be trimmed, which the run does not want.
    """
    if run["recipe"] != ANSWER:
        return FittedRun(run)

    messages, documents = given.messages, _as_messages(given.documents)

    def plan_for(some: Sequence[AnyMessage]) -> Plan:
        asking = _asking(run, measure([*some, *documents]))
        new_run = NewRun(asking, run_id, settings, services)
        return new_run.plans.plan(new_run.left())

    kept = trim_oldest(messages, lambda some: bool(plan_for(some).chosen))
    missed = len(messages) - len(kept)
    if missed and settings.trim == "never":
        remedy = f"raise the budget, or leave out the oldest {missed} (or set trim to oldest)"
        raise InvalidInput("messages", f"{len(messages)} messages", remedy)
    sent: Run = {**run, "conversation": message_ids(kept)}
    fitted = _asking(sent, measure([*read_conversation(sent, kept), *documents]))
    if not missed:
        return FittedRun(fitted)
    limits = _who_limits(plan_for(messages), run_id, services)
    return FittedRun(fitted, _describe(missed, len(messages)), {WHOLE_CONVERSATION: limits})


def _who_limits(plan: Plan, run_id: str, services: Services) -> dict[str, str]:
    """The limits that a plan is short of, each with the account above the run's that set it."""
    balance = services.ledger.balance(run_id)
    short_of = {limit for option in plan.left_out for limit in option.short_of}
    return {limit: balance.limited_by(limit) for limit in sorted(short_of)}


def _as_messages(documents: Mapping[str, str]) -> list[HumanMessage]:
    """Documents as they are read with a conversation, for their length."""
    return [HumanMessage(f"{name}\n{text}") for name, text in documents.items()]


def _asking(run: Run, asked: Asked) -> Run:
    return {**run, "asked": asked.to_state()}


def _describe(missed: int, count: int) -> str:
    were = "message of the conversation was" if missed == 1 else "messages were"
    return f"the oldest {missed} of {count} {were} left out, as all of them do not fit"
