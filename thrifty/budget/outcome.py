"""What became of a step: data, whatever happened."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from thrifty.budget import validate
from thrifty.budget.check_result import CheckResult
from thrifty.budget.option import StepOption
from thrifty.budget.plain_data import PlainData
from thrifty.budget.spend import Spend

if TYPE_CHECKING:
    from thrifty.budget.states import OutcomeState

OutcomeStatus = Literal["done", "cut", "failed", "skipped", "stopped", "unknown"]


@dataclass(frozen=True, slots=True)
class Outcome(PlainData["OutcomeState"]):
    """How one option of a step ended.

    `done`: the text is whole. `cut`: the text ends at the cap that the budget allowed.
    `failed`: no text, but `actual` may have been paid. `skipped`: not tried.
    `stopped`: the run was stopped meanwhile, and the step may be tried again.
    `unknown`: it was called, has effects outside, and nobody knows whether it had them.
    """

    MAY_LACK = ("checks",)

    option: StepOption
    status: OutcomeStatus
    text: str = ""
    """What it wrote, as Markdown."""
    actual: Spend = Spend()
    """What it used, failed attempts included."""
    reason: str = ""
    """Why it was cut, failed or skipped, in plain words."""
    disables: str = ""
    """What this failure has shown to be out of order: an executor, or the model of a role, as in
    `llm:strong`."""
    short_of: tuple[str, ...] = ()
    """The limits that kept it out, by the names of their resources."""
    is_unanswered: bool = False
    """Whether it failed because no model gave a usable answer."""
    started_ms: int | None = None
    """When it was begun, in milliseconds of the run's active time. None when it never was."""
    ended_ms: int | None = None
    data: Any = field(default=None, hash=False)
    """What it made for code to read, as plain data. None where the text is all there is."""
    checks: tuple[CheckResult, ...] = ()
    """What the checks said of the text: those that did not pass, and those that were asked for."""

    def __post_init__(self) -> None:
        validate.choice("outcome.status", self.status, get_args(OutcomeStatus))
        validate.time_span("outcome", self.started_ms, self.ended_ms)

    @property
    def step(self) -> str:
        """The step that this was an attempt at."""
        return self.option.step

    @property
    def has_text(self) -> bool:
        """Whether it left something for the draft."""
        return self.status in ("done", "cut")

    @property
    def failed_checks(self) -> tuple[CheckResult, ...]:
        """The checks that the text did not pass."""
        return tuple(result for result in self.checks if result.passed is False)
