"""Puts facts about a step's work into traces: OpenTelemetry's span, LangChain's run of the node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Outcome, Spend
from thrifty.models.tracing.call_record import amounts
from thrifty.models.tracing.recorders import REASON, Facts, record_work
from thrifty.run.services import Services


@contextmanager
def trace_step(
    state: Any, config: RunnableConfig, services: Services
) -> Iterator[Callable[[Any], None]]:
    """A span around a step's work, where somebody records spans.

    Args:
        state: what the node was given.
        config: as LangGraph hands it to the node.
        services: what the node works with.

    Yields:
        A function that takes the node's update. Of a node that does no step it records nothing.
    """
    if "assignment" not in state:
        yield lambda _: None
        return
    assignment, cache = state["assignment"], services.cache(state["run"]["id"])
    facts: Facts = {
        "thrifty.step": assignment["option"]["name"],
        "thrifty.executor": assignment["option"]["executor"],
        "thrifty.run_id": state["run"]["id"],
        "thrifty.key": assignment["key"],
        **amounts("reserved", cache.read(Spend, assignment["reserved"])),
    }
    # LangGraph hands a node the manager of its children, whose parent is the node's own run.
    manager = config.get("callbacks")
    run_id = getattr(manager, "parent_run_id", None)
    with record_work(f"step {facts['thrifty.step']}", facts, manager, run_id) as add_facts:
        yield lambda update: add_facts(
            {**facts, **_closing_facts(cache.read(Outcome, update["outcomes"][0]))}
        )


def _closing_facts(outcome: Outcome) -> Facts:
    why = {REASON: outcome.reason} if outcome.reason else {}
    return {"thrifty.status": outcome.status, **amounts("settled", outcome.actual), **why}
