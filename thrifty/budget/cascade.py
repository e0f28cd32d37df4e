"""A cascade: an option that is tried first, a check of its result, and another for what fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from thrifty.budget import validate
from thrifty.budget.plain_data import PlainData

if TYPE_CHECKING:
    from thrifty.budget.states import CascadeState

RATIO_MAX = 100.0


@dataclass(frozen=True, slots=True)
class Cascade(PlainData["CascadeState"]):
    """Two options of one step, of which the second is bought where the first fails its check.

    Both are options of the same step, so what is known of them is known here as well.

    Raises:
        InvalidInput: a name is empty, or a number out of range.
    """

    first: str
    """The name of the option that is tried first."""
    then: str
    """The name of the option that is tried where the result of the first fails."""
    check: str
    """The name of the check between them."""
    chance: float
    """How likely it is that the result of the first fails, from 0 to 1."""
    bill_ratio: float = 1.0
    """What the second comes to after a failure, as a multiple of its estimate: tasks on which the
    first fails are longer than others."""

    def __post_init__(self) -> None:
        for name in ("first", "then", "check"):
            validate.text(f"cascade.{name}", getattr(self, name))
        validate.number("cascade.chance", self.chance, maximum=1.0)
        validate.number("cascade.bill_ratio", self.bill_ratio, maximum=RATIO_MAX)
