"""What a run was asked to do, read from its input and its place in a thread."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, InvalidInput, Step, validate
from thrifty.budget.plain_text import trim_text
from thrifty.run.answer_length import read_words
from thrifty.run.documents import read_documents
from thrifty.run.identity import RUN_NAME_MAX, node_places


class RunInput(NamedTuple):
    """What a run was asked to do, checked."""

    name: str
    """What the caller calls the run. Empty where its number in its thread tells it from others."""
    task: str
    messages: list[AnyMessage]
    """The conversation whose last human message is the task. Empty where the task was given."""
    budget: Budget
    documents: dict[str, str]
    """Their texts by name."""
    words: int
    """About how long the answer is to be. Nought where nobody said."""


def read_run_input(
    given: Mapping[str, Any],
    default_of: Callable[[str], Budget],
    steps_of: Callable[[str], Sequence[Step]],
    config: RunnableConfig,
) -> RunInput:
    """Reads and checks what a run was asked to do.

    Args:
        given: the input. A task in it goes before messages.
        default_of: the budget of a run with such a task whose input has none.
        steps_of: the steps of its recipe, which may read documents.
        config: names the thread, where there is one.

    Raises:
        InvalidInput: there is no task, a limit or a document cannot be used, or a document that a
            step reads is not there.
    """
    task = _task(given)
    messages = list(given.get("messages", ())) if given.get("task") is None else []
    documents = read_documents(given.get("documents") or {}, steps_of(task))
    budget = _budget(given) or default_of(task)
    words = read_words(given.get("words")) or 0
    return RunInput(_name(given, config), task, messages, budget, documents, words)


def _task(given: Mapping[str, Any]) -> str:
    task = given.get("task")
    human = [m for m in given.get("messages", ()) if isinstance(m, HumanMessage)]
    field, text = ("messages", _last_words(human)) if task is None and human else ("task", task)
    return validate.text(field, trim_text(validate.text(field, text)))


def _last_words(human: Sequence[HumanMessage]) -> str:
    """What a person said last. A picture without a word goes with what was said before it."""
    texts = (str(said.text) for said in reversed(human) if said.text or not said.content)
    return next(texts, "")


def _budget(given: Mapping[str, Any]) -> Budget | None:
    if (limits := given.get("budget")) is None:
        return None
    budget = Budget.from_state(limits)
    if budget.is_unlimited:
        raise InvalidInput("budget", dict(limits), "set at least one limit, such as max_tokens")
    return budget


def _name(given: Mapping[str, Any], config: RunnableConfig) -> str:
    if own := given.get("run_id"):
        return validate.text("run_id", own, maximum=RUN_NAME_MAX)
    # A thread counts its runs. A place in a parent's graph is the same in each attempt at a node.
    is_known = config.get("configurable", {}).get("thread_id") or node_places(config)
    return "" if is_known else str(uuid4())
