"""A choice the run made by itself, with its reason, as the receipt reports it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from thrifty.budget import validate
from thrifty.budget.plain_data import PlainData

if TYPE_CHECKING:
    from thrifty.budget.states import DecisionState

DecisionKind = Literal[
    "offline",
    "recipe",
    "options",
    "plan",
    "replan",
    "upgrade",
    "downgrade",
    "move",
    "fallback",
    "skip",
    "check",
    "escalate",
    "overrun",
    "ask",
    "halt",
]
"""`upgrade`, `downgrade`: a step is done in a way that is worth more, or less, or a step is added.
`move`: in another way that is worth the same. `fallback`: in another way, as the planned one cannot
be had any more. `skip`: a step is not done. `check`: a result stays though it failed a check.
`escalate`: such a step is tried once more. `overrun`: somebody took more than was allowed."""


@dataclass(frozen=True, slots=True)
class Decision(PlainData["DecisionState"]):
    """What was decided, why, and when."""

    kind: DecisionKind
    reason: str
    """One sentence in plain words, with the figures that decided it."""
    at_ms: int = 0
    """When, in milliseconds of the run's active time."""

    def __post_init__(self) -> None:
        validate.any_string("decision.reason", self.reason)
        validate.choice("decision.kind", self.kind, get_args(DecisionKind))
        validate.amount("decision.at_ms", self.at_ms)
