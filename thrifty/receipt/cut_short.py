"""Which limits an answer ran into that was cut short."""

from thrifty.budget import Budget, Outcome, Spend
from thrifty.budget.resources import COST, TOKENS
from thrifty.executors.step_limit import ANSWER_DIVISOR

ROUNDING_DIVISOR = 50
"""What whole tokens leave of that."""


def limits_that_cut(answer: Outcome, reserved: Spend, left: Budget) -> tuple[str, ...]:
    """The limits of which a cut answer had all that it may have. With more, it is longer.

    Args:
        answer: the attempt.
        reserved: what its call had.
        left: what is left after it.
    """
    resources = (TOKENS, COST)
    rows = zip(resources, reserved.amounts, answer.actual.amounts, left.limits, strict=False)
    return tuple(
        resource.name
        for resource, held, used, now in rows
        if now is not None and _is_all_of(held, (now + used) // ANSWER_DIVISOR)
    )


def _is_all_of(held: int, room: int) -> bool:
    return held >= room - room // ROUNDING_DIVISOR
