"""One bill as it is kept: what was estimated, what it came to, and how good it was found."""

from dataclasses import dataclass
from typing import Any

from thrifty.budget import Spend, validate
from thrifty.budget.option import SPREAD_MAX
from thrifty.budget.plain_data import PlainData

RUN_MAX = 100


@dataclass(frozen=True, slots=True)
class BillRecord(PlainData[dict[str, Any]]):
    """What one option came to in one run."""

    PLAIN_NAME = "record"
    MAY_LACK = ("score",)

    run: str
    """A digest of the run's name, so that a run that is repeated is kept once."""
    estimate: Spend
    """As its recipe had it then."""
    spread: float
    expected: Spend
    """The same for what was sent: a long task takes more than a recipe can know."""
    actual: Spend
    score: float | None = None
    """What a person or a judge found it to be worth, on the recipe's scale of values."""

    def __post_init__(self) -> None:
        validate.text("record.run", self.run, maximum=RUN_MAX)
        validate.number("record.spread", self.spread, maximum=SPREAD_MAX)
        if self.score is not None:
            validate.number("record.score", self.score)
