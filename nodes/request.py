"""What a run was asked to do, read from its input, its context and its thread."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, InvalidInput, checks
from thrifty.budget.plain_text import plain
from thrifty.nodes.context import Context
from thrifty.nodes.state import Input, Run

RUN_ID_MAX = 100


def read_request(
    asked: Input, number: int, context: Context, default: Budget, config: RunnableConfig
) -> Run:
    """Reads and checks what a run was asked to do.

    The budget is that of the input, else that of the context, else the agent's default.

    Args:
        asked: the input; a task in it goes before messages.
        number: which run of its thread this is, from 1.
        context: the settings of the run.
        default: the budget of a run that was given none.
        config: names the thread, where there is one.

    Raises:
        InvalidInput: there is no task, or a limit cannot be used.
    """
    budget = _given_budget(asked) or context.budget or default
    return Run(
        id=_run_id(asked, number, config.get("configurable", {})),
        number=number,
        task=_task(asked),
        budget=budget.to_state(),
        common="",
    )


def _task(asked: Input) -> str:
    given = asked.get("task")
    human = [m for m in asked.get("messages", ()) if isinstance(m, HumanMessage)]
    if given is None and human:
        return plain(checks.text("messages", str(human[-1].text))).strip()
    return plain(checks.text("task", given)).strip()


def _given_budget(asked: Input) -> Budget | None:
    if (given := asked.get("budget")) is None:
        return None
    budget = Budget.from_state(given)
    if budget.is_unlimited:
        raise InvalidInput("budget", dict(given), "set at least one limit, such as max_tokens")
    return budget


def _run_id(asked: Input, number: int, configurable: Mapping[str, Any]) -> str:
    """The caller's own id or a count, within its thread: no thread reaches another's account."""
    given = asked.get("run_id")
    own = checks.text("run_id", given, maximum=RUN_ID_MAX) if given else str(number)
    if thread := configurable.get("thread_id"):
        # In a parent's graph, the parts before the last bar are the place this run has there,
        # each the name of a node and the number of its turn.
        *places, _ = str(configurable.get("checkpoint_ns", "")).split("|")
        named = [place.partition(":")[0] for place in places] if given else places
        return "/".join((thread, *named, own))
    return own if given else str(uuid4())
