"""Spans of OpenTelemetry's with facts of thrifty's, where a program has set it up.

It is never imported from here: where nobody else has, nobody has set it up, and nothing is done.
Facts are names and numbers; no prompt, no answer and no address with a key is ever among them.
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


def is_loaded() -> bool:
    """Whether this program has loaded OpenTelemetry, so that somebody may record spans."""
    return TRACE in sys.modules


@contextmanager
def span(name: str, facts: Facts, *, is_call: bool = False) -> Iterator[AddFacts | None]:
    """A span around some work, current for what happens within it.

    Args:
        name: what it is called.
        facts: what is known when it begins.
        is_call: whether it stands for a call of another service.

    Yields:
        Who takes what becomes known of it; None where nobody records.
    """
    trace: Any = sys.modules.get(TRACE)
    if trace is None:
        yield None
        return
    kind = trace.SpanKind.CLIENT if is_call else trace.SpanKind.INTERNAL
    # Not left to OpenTelemetry: it would record the text of whatever is raised.
    unasked = {"record_exception": False, "set_status_on_exception": False}
    tracer = trace.get_tracer("thrifty")
    with tracer.start_as_current_span(name, kind=kind, attributes=dict(facts), **unasked) as made:
        try:
            yield _adder(trace, made) if made.is_recording() else None
        except BaseException as error:
            made.set_attribute(ERROR, type(error).__name__)
            said = str(error) if isinstance(error, ThriftyError) else None
            made.set_status(trace.StatusCode.ERROR, said)
            raise


def _adder(trace: Any, made: Any) -> AddFacts:
    def add_facts(facts: Facts) -> None:
        made.set_attributes(facts)
        if ERROR in facts:
            made.set_status(trace.StatusCode.ERROR, facts.get(REASON))

    return add_facts
