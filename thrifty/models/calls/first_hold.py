"""How much a call holds at first: the whole answer or, where callers compete, what most take.

A reservation for the longest answer has others wait for tokens that hardly any answer takes. So a
call for whose longest answer others leave no room holds what all but a twentieth of earlier
answers of its kind have taken. That goes out as its cap. Who is cut there is asked once more.
"""

from typing import NamedTuple

from thrifty.budget import Budget, Spend

HOLD_QUANTILE = 0.95
"""The share of answers that a first hold is enough for; see benchmarks/README.md."""
HOLD_QUANTILE_MIN = 0.5
"""With less, most answers would be paid twice."""
LONGER_MIN = 2
"""An answer that was cut is asked for again if it can be so many times as long. With a little more
it would mostly be cut again."""


class HoldTerms(NamedTuple):
    """How much one attempt at a call may hold."""

    least: int = 0
    """It is not asked for an answer that has to be shorter, unless none may be as long."""
    can_be_cut: bool = False
    """Whether it may hold less than fits, as it can be asked once more."""


WHOLE = HoldTerms()
"""All that fits."""
FIRST = HoldTerms(can_be_cut=True)


def longer_than(cap: int) -> HoldTerms:
    """What an answer holds that was cut at a cap."""
    return HoldTerms(least=LONGER_MIN * cap)


def is_room_short(left: Budget, whole: Spend) -> bool:
    """Whether the longest answer does not fit, and another call would.

    Args:
        left: what may still be reserved.
        whole: the worst case of the longest answer.
    """
    calls = left.max_tool_calls
    if calls is not None and calls < 2:  # it could not be asked once more
        return False
    return not left.covers(whole)
