"""One bill as it is kept: what was estimated, what it came to, and how good it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from thrifty.budget import Spend, checks
from thrifty.budget.option import SPREAD_MAX
from thrifty.budget.states import SpendState


class RecordState(TypedDict):
    """A `Record` as plain data."""

    run: str
    estimate: SpendState
    spread: float
    actual: SpendState
    score: float | None


@dataclass(frozen=True, slots=True)
class Record:
    """What one option came to in one run."""

    run: str
    """A digest of the run's name, so that a run that is repeated is kept once."""
    estimate: Spend
    """As its catalog had it then."""
    spread: float
    actual: Spend
    score: float | None = None
    """What a person or a judge found it to be worth, on the catalog's scale of values."""

    def to_state(self) -> RecordState:
        return RecordState(
            run=self.run,
            estimate=self.estimate.to_state(),
            spread=self.spread,
            actual=self.actual.to_state(),
            score=self.score,
        )

    @classmethod
    def from_state(cls, state: object) -> Record:
        """Reads what a store holds, whoever wrote it.

        Raises:
            InvalidInput: it is not what `to_state` writes.
        """
        given: Mapping[str, Any] = checks.record(
            "record", state, tuple(RecordState.__annotations__)
        )
        score = given.get("score")
        return cls(
            run=checks.text("record.run", given.get("run"), maximum=100),
            estimate=Spend.from_state(given.get("estimate"), "record.estimate"),
            spread=checks.number("record.spread", given.get("spread"), maximum=SPREAD_MAX),
            actual=Spend.from_state(given.get("actual"), "record.actual"),
            score=None if score is None else checks.number("record.score", score),
        )
