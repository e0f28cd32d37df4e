"""What a check said of a result: data, like the result itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from thrifty.budget import validate
from thrifty.budget.plain_data import PlainData
from thrifty.budget.spend import Spend

if TYPE_CHECKING:
    from thrifty.budget.states import CheckResultState


@dataclass(frozen=True, slots=True)
class CheckResult(PlainData["CheckResultState"]):
    """The verdict of one check on one result.

    Raises:
        InvalidInput: a field has the wrong type.
    """

    PLAIN_NAME = "check_result"

    check: str
    """The name of the check: "repeated lines"."""
    passed: bool | None
    """Whether the result passed. None: the check itself did not work, so nobody knows."""
    reason: str = ""
    """Why it did not pass, in plain words: "the same line 60 times"."""
    spend: Spend = Spend()
    """What the check used, where a model made it."""

    def __post_init__(self) -> None:
        validate.text("check_result.check", self.check)
        if self.passed is not None:
            validate.instance("check_result.passed", self.passed, bool, "passed=False")
        validate.any_string("check_result.reason", self.reason)
