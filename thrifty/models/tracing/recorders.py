"""Who records facts of thrifty's: OpenTelemetry in spans, LangChain's tracers in their runs.

OpenTelemetry is never imported from here: where nobody else has, nobody has set it up. Facts are
names and numbers; no prompt, no answer and no address with a key is ever among them.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from thrifty.budget import ThriftyError

Facts = Mapping[str, str | int | bool]
AddFacts = Callable[[Facts], None]
"""Takes facts for a span, or for the metadata of a run."""
TRACE = "opentelemetry.trace"
ERROR, REASON = "error.type", "thrifty.reason"


def is_recorded(manager: Any) -> bool:
    """Whether a call may be recorded: OpenTelemetry is set up, or a handler keeps its runs.

    Args:
        manager: LangChain's callback manager of the call.
    """
    trace: Any = sys.modules.get(TRACE)
    # Without a provider there is a proxy, which waits for one: other packages load it so.
    if trace is not None and not isinstance(trace.get_tracer("thrifty"), trace.ProxyTracer):
        return True
    for handler in getattr(manager, "handlers", None) or ():
        if getattr(handler, "run_map", None):
            return True
    return False


@contextmanager
def record_work(
    name: str, facts: Facts, manager: Any, run_id: Any, *, is_call: bool = False
) -> Iterator[AddFacts]:
    """Puts a span around some work, current for what happens within it, where spans are kept.

    Args:
        name: what the span is called.
        facts: what is known when it begins.
        manager: the callback manager whose handlers were told of LangChain's run of the work.
        run_id: that run's.
        is_call: whether it stands for a call of another service.

    Yields:
        Who takes what becomes known of it, for the span and for the metadata of the run.
    """
    add_to_run = _run_recorder(manager, run_id)
    trace: Any = sys.modules.get(TRACE)
    if trace is None:
        yield add_to_run
        return
    kind = trace.SpanKind.CLIENT if is_call else trace.SpanKind.INTERNAL
    # Not left to OpenTelemetry: it would record the text of whatever is raised.
    unasked = {"record_exception": False, "set_status_on_exception": False}
    tracer = trace.get_tracer("thrifty")
    with tracer.start_as_current_span(name, kind=kind, attributes=dict(facts), **unasked) as work:

        def add_facts(facts: Facts) -> None:
            add_to_run(facts)
            work.set_attributes(facts)
            if ERROR in facts:
                work.set_status(trace.StatusCode.ERROR, facts.get(REASON))

        try:
            yield add_facts
        except BaseException as error:
            if _is_signal(error):
                raise
            work.set_attribute(ERROR, type(error).__name__)
            reason = str(error) if isinstance(error, ThriftyError) else None
            work.set_status(trace.StatusCode.ERROR, reason)
            raise


def _is_signal(error: BaseException) -> bool:
    """Whether it is LangGraph's, as where a person is asked: that is no failure of the work."""
    errors: Any = sys.modules.get("langgraph.errors")
    return errors is not None and isinstance(error, errors.GraphBubbleUp)


def _run_recorder(manager: Any, run_id: Any) -> AddFacts:
    """Who takes facts for the metadata of a run of LangChain's, in each tracer that keeps it."""
    extras: list[dict[str, Any]] = []
    for handler in getattr(manager, "handlers", None) or ():
        run = getattr(handler, "run_map", {}).get(str(run_id))
        if isinstance(extra := getattr(run, "extra", None), dict):
            extras.append(extra)

    def add_facts(facts: Facts) -> None:
        for extra in extras:
            # Anew, as the mapping that is there may be that of other runs as well.
            extra["metadata"] = {**(extra.get("metadata") or {}), **facts}

    return add_facts
