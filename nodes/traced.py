"""What is told of a step's work: to a span of OpenTelemetry's, to the traced run of its node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Outcome, Spend
from thrifty.models.tracing.call_record import amounts
from thrifty.models.tracing.spans import REASON, AddFacts, Facts, span
from thrifty.models.tracing.traced_runs import run_metadata


@contextmanager
def traced(state: Any, config: RunnableConfig) -> Iterator[Callable[[Any], None]]:
    """A span around a step's work, where somebody records spans.

    Args:
        state: what the node was given.
        config: as LangGraph hands it to the node.

    Yields:
        Who takes the node's update. Of a node that does no step nothing is told.
    """
    if "assignment" not in state:
        yield lambda _: None
        return
    begun = _begun(state)
    manager = config.get("callbacks")
    to_run = run_metadata(manager, getattr(manager, "parent_run_id", None))
    with span(f"step {begun['thrifty.step']}", begun) as to_span:
        yield lambda update: _tell((to_span, to_run), begun, update["outcomes"][0])


def _begun(state: Any) -> Facts:
    assignment = state["assignment"]
    return {
        "thrifty.step": assignment["option"]["name"],
        "thrifty.executor": assignment["option"]["executor"],
        "thrifty.run_id": state["run"]["id"],
        "thrifty.key": assignment["key"],
        **amounts("reserved", Spend.from_state(assignment["reserved"])),
    }


def _tell(tellers: tuple[AddFacts | None, ...], begun: Facts, ended: Any) -> None:
    outcome = Outcome.from_state(ended)
    facts = {**begun, "thrifty.status": outcome.status, **amounts("settled", outcome.actual)}
    for tell in tellers:
        if tell is not None:
            tell({**facts, REASON: outcome.reason} if outcome.reason else facts)
