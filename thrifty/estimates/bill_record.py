"""One attempt as it is kept: what was estimated, what it came to, and how good it was found."""

from dataclasses import dataclass
from typing import Any

from thrifty.budget import Spend, validate
from thrifty.budget.option import NAME_MAX, SPREAD_MAX
from thrifty.budget.plain_data import PlainData

RUN_MAX = 100


@dataclass(frozen=True, slots=True)
class BillRecord(PlainData[dict[str, Any]]):
    """What one option came to in one run."""

    PLAIN_NAME = "record"
    MAY_LACK = ("step", "kind", "check", "passed", "after", "rating")

    run: str
    """A digest of the run's name, so that a run that is repeated is kept once."""
    estimate: Spend
    """As its recipe had it then."""
    spread: float
    expected: Spend
    """The same for what was sent: a long task takes more than a recipe can know."""
    actual: Spend
    step: str = ""
    """The step that it was an attempt at,"""
    kind: str = ""
    """and what kind of work that is."""
    check: str = ""
    """The name of the check that has judged it. Empty where none has."""
    passed: bool | None = None
    """Whether it passed. None: nobody knows."""
    after: str = ""
    """The option that was tried before it at the same step. Empty for the first."""
    rating: float | None = None
    """How good a person or a judge found it, from 0 for wrong to 1 for right. None: not rated."""

    def __post_init__(self) -> None:
        validate.text("record.run", self.run, maximum=RUN_MAX)
        validate.number("record.spread", self.spread, maximum=SPREAD_MAX)
        for name in ("step", "kind", "check", "after"):
            text = validate.any_string(f"record.{name}", getattr(self, name))
            validate.amount(f"record.{name} (its length)", len(text), maximum=NAME_MAX)
        if self.passed is not None:
            validate.instance("record.passed", self.passed, bool, "passed=False")
        if self.rating is not None:
            validate.number("record.rating", self.rating, maximum=1.0)
