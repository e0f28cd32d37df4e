"""Fits the conversation that a run answers into what it may spend, by a rule that it declares."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from langchain_core.messages import HumanMessage

from thrifty.budget import InvalidInput
from thrifty.models.asked import Asked
from thrifty.options.recipe import ANSWER
from thrifty.run.conversation import measure, message_ids, read_conversation, trim_oldest
from thrifty.run.facts import Run
from thrifty.run.new_run import NewRun
from thrifty.run.run_input import RunInput
from thrifty.run.run_so_far import RunSettings
from thrifty.run.services import Services

Trim = Literal["oldest", "never"]


class TrimSettings(RunSettings, Protocol):
    """The fields of a run's context that are read here. The context says what they mean."""

    trim: Trim


class FittedRun(NamedTuple):
    """A run with the conversation that it answers."""

    run: Run
    remark: str = ""
    """What was left out of it. Empty where nothing was."""


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

    def fits(asked: Asked) -> bool:
        new_run = NewRun(_asking(run, asked), run_id, settings, services)
        return bool(new_run.plan(new_run.left()).chosen)

    kept = trim_oldest(messages, lambda some: fits(measure([*some, *documents])))
    missed = len(messages) - len(kept)
    if missed and settings.trim == "never":
        remedy = f"raise the budget, or leave out the oldest {missed} (or set trim to oldest)"
        raise InvalidInput("messages", f"{len(messages)} messages", remedy)
    sent: Run = {**run, "conversation": message_ids(kept)}
    fitted = _asking(sent, measure([*read_conversation(sent, kept), *documents]))
    return FittedRun(fitted, _describe(missed, len(messages)))


def _as_messages(documents: Mapping[str, str]) -> list[HumanMessage]:
    """Documents as they are read with a conversation, for their length."""
    return [HumanMessage(f"{name}\n{text}") for name, text in documents.items()]


def _asking(run: Run, asked: Asked) -> Run:
    return {
        **run,
        "input_tokens": asked.tokens,
        "attachments": asked.attachments,
        "input_bytes": asked.bytes,
    }


def _describe(missed: int, count: int) -> str:
    if not missed:
        return ""
    were = "message of the conversation was" if missed == 1 else "messages were"
    return f"the oldest {missed} of {count} {were} left out, as all of them do not fit"
