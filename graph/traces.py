"""Puts facts about a step's work into traces: OpenTelemetry's span, LangChain's run of the node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Outcome, Spend
from thrifty.models.tracing.call_record import amounts
from thrifty.models.tracing.recorders import REASON, Facts, is_recorded, record_work
from thrifty.run.assignment import assigned_option, reserved_for, step_key
from thrifty.run.services import Services


@contextmanager
def trace_step(
    state: Any, config: RunnableConfig, run_id: str | None, services: Services
) -> Iterator[Callable[[Any], None]]:
    """A span around a step's work, where somebody records spans.

    Args:
        state: what the node was given.
        config: as LangGraph hands it to the node.
        run_id: the run's account. None for the first node.
        services: what the node works with.

    Yields:
        A function that takes the node's update. Of a node that does no step it records nothing.
    """
    # LangGraph hands a node the manager of its children, whose parent is the node's own run.
    manager = config.get("callbacks")
    if run_id is None or "assignment" not in state or not is_recorded(manager):
        yield lambda _: None
        return
    option = assigned_option(state, run_id, services)
    facts: Facts = {
        "thrifty.step": option.name,
        "thrifty.executor": option.executor,
        "thrifty.run_id": run_id,
        "thrifty.key": step_key(option, services),
        **amounts("reserved", reserved_for(option, run_id, services) or Spend()),
    }
    traced_id, cache = getattr(manager, "parent_run_id", None), services.cache(run_id)
    with record_work(f"step {option.name}", facts, manager, traced_id) as add_facts:
        yield lambda update: add_facts(
            {**facts, **_closing_facts(cache.read(Outcome, update["outcomes"][0]))}
        )


def _closing_facts(outcome: Outcome) -> Facts:
    why = {REASON: outcome.reason} if outcome.reason else {}
    return {"thrifty.status": outcome.status, **amounts("settled", outcome.actual), **why}
