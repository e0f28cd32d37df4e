"""Puts facts about a step's work into traces: OpenTelemetry's span, LangChain's run of the node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Outcome, Spend, StepOption
from thrifty.models.tracing.call_record import amounts
from thrifty.models.tracing.recorders import REASON, AddFacts, Facts, run_metadata, span
from thrifty.run.assignment import ExecutorInput, step_key
from thrifty.run.run_cache import RunCache
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
    if run_id is None or "assignment" not in state:
        yield lambda _: None
        return
    cache = services.cache(run_id)
    facts = _facts(state, run_id, cache)
    # LangGraph hands a node the manager of its children, whose parent is the node's own run.
    manager = config.get("callbacks")
    to_run = run_metadata(manager, getattr(manager, "parent_run_id", None))
    with span(f"step {facts['thrifty.step']}", facts) as to_span:
        receivers = [receiver for receiver in (to_span, to_run) if receiver is not None]
        yield lambda update: _record(receivers, facts, cache.read(Outcome, update["outcomes"][0]))


def _facts(state: ExecutorInput, run_id: str, cache: RunCache) -> Facts:
    assignment = state["assignment"]
    option = cache.read(StepOption, assignment["option"])
    return {
        "thrifty.step": option.name,
        "thrifty.executor": option.executor,
        "thrifty.run_id": run_id,
        "thrifty.key": step_key(option),
        **amounts("reserved", cache.read(Spend, assignment["reserved"])),
    }


def _record(receivers: list[AddFacts], facts: Facts, outcome: Outcome) -> None:
    ended = {**facts, "thrifty.status": outcome.status, **amounts("settled", outcome.actual)}
    for receive in receivers:
        receive({**ended, REASON: outcome.reason} if outcome.reason else ended)
