"""How long a run has been active: by its state, and by the clock."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from thrifty.budget import Outcome


def known_ms(state: Mapping[str, Any]) -> int:
    """How long a run had been active when its state was written.

    As of the last spend check or, where it was stopped before the next one, of the outcomes since.
    """
    checked: int = state["spend"]["latency_ms"]
    outcomes = map(Outcome.from_state, reversed(state.get("outcomes", ())))
    ended = (outcome.ended_ms or 0 for outcome in outcomes)
    # From the newest back: what had ended before the last check is in its figure.
    return max(takewhile(lambda ms: ms >= checked, ended), default=checked)
