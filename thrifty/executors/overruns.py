"""Whose bill came to more than it was allowed. Who that was is not used again in its run.

It is read from the ledger, as a client of a server can write outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from thrifty.budget import Budget, StepOption
from thrifty.budget.resources import format_amounts
from thrifty.executors.registry import LLM
from thrifty.ledger.records import MODEL_TAG, Entry
from thrifty.steering.forecast import ExecutorModel


class Overrun(NamedTuple):
    """A call that used more of a limited resource than was reserved for it."""

    label: str
    """What the call was for."""
    executor_model: ExecutorModel
    """Who is not used again."""
    excess: str
    """By how much, in words."""

    @property
    def reason(self) -> str:
        """What came of it, in words."""
        verb = "asked" if self.executor_model.executor == LLM else "used"
        return f"{self.executor_model} is not {verb} again: {self.description}"

    @property
    def description(self) -> str:
        """What happened, in words."""
        return f"{self.label!r} used {self.excess} more than it was allowed"


def find_overruns(
    entries: Iterable[Entry],
    limits: Budget,
    options: Mapping[str, StepOption],
    executor_model_of: Callable[[StepOption], ExecutorModel],
) -> tuple[Overrun, ...]:
    """Finds the overruns of a run. Time is cut and not reserved, so that it has none.

    Args:
        entries: those that were charged more than they had reserved.
        limits: what limits the run at all. What nobody limits cannot be over.
        options: every option of the run, by name.
        executor_model_of: who does an option.
    """
    limited = {resource.name for resource, _ in limits.without_latency().limited_resources()}
    found = []
    for entry in entries:
        allowed = Budget.of_limits(entry.reserved.amounts).without_latency()
        over = allowed.exceeded_by(entry.charged)
        if not (excess := {name: over[name] for name in over if name in limited}):
            continue
        # What is no option's is a call of the run's own, such as that for proposals.
        own = ExecutorModel(LLM, dict(entry.tags).get(MODEL_TAG, ""))
        option = options.get(entry.label)
        who = executor_model_of(option) if option else own
        found.append(Overrun(entry.label, who, format_amounts(excess)))
    return tuple(found)
