"""What a run was asked to do, read from its input and its place in a thread."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, InvalidInput, validate
from thrifty.budget.plain_text import strip_unprintable

RUN_ID_MAX = 100


class RunInput(NamedTuple):
    """What a run was asked to do, checked."""

    run_id: str
    task: str
    budget: Budget


def read_run_input(
    given: Mapping[str, Any], number: int, default: Budget, config: RunnableConfig
) -> RunInput:
    """Reads and checks what a run was asked to do.

    Args:
        given: the input. A task in it goes before messages.
        number: which run of its thread this is, from 1.
        default: the budget of a run whose input has none.
        config: names the thread, where there is one.

    Raises:
        InvalidInput: there is no task, or a limit cannot be used.
    """
    budget = _budget(given) or default
    run_id = _run_id(given, number, config.get("configurable", {}))
    return RunInput(run_id, _task(given), budget)


def _task(given: Mapping[str, Any]) -> str:
    task = given.get("task")
    human = [m for m in given.get("messages", ()) if isinstance(m, HumanMessage)]
    field, text = ("messages", str(human[-1].text)) if task is None and human else ("task", task)
    return strip_unprintable(validate.text(field, text)).strip()


def _budget(given: Mapping[str, Any]) -> Budget | None:
    if (limits := given.get("budget")) is None:
        return None
    budget = Budget.from_state(limits)
    if budget.is_unlimited:
        raise InvalidInput("budget", dict(limits), "set at least one limit, such as max_tokens")
    return budget


def _run_id(given: Mapping[str, Any], number: int, configurable: Mapping[str, Any]) -> str:
    """The caller's own id or a count, within its thread: no thread reaches another's account."""
    own_id = given.get("run_id")
    own = validate.text("run_id", own_id, maximum=RUN_ID_MAX) if own_id else str(number)
    if thread := configurable.get("thread_id"):
        # In a parent's graph, the parts before the last bar are the place this run has there,
        # each the name of a node and the number of its turn.
        *places, _ = str(configurable.get("checkpoint_ns", "")).split("|")
        named = [place.partition(":")[0] for place in places] if own_id else places
        return "/".join((thread, *named, own))
    return own if own_id else str(uuid4())  # without a thread, nobody asks for it again
