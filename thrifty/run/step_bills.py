"""What the steps of a run came to, beside what they were estimated at."""

from collections.abc import Iterable

from thrifty.budget import Outcome
from thrifty.executors.model_access import ModelAccess
from thrifty.steering.forecast import Bill


def bills_of(outcomes: Iterable[Outcome], terms: ModelAccess) -> tuple[Bill, ...]:
    """What the work that was done came to; work that failed says nothing of what work costs."""
    return tuple(
        Bill(outcome.option, terms.executor_model(outcome.option), outcome.actual)
        for outcome in outcomes
        if outcome.has_text
    )
