"""The receipt as data, made from the plan, the outcomes and the ledger's entries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from typing_extensions import TypedDict

from thrifty.budget import Budget, Outcome, Plan, Spend, StepOption, validate
from thrifty.budget.decision import Decision
from thrifty.budget.plain_data import PlainData
from thrifty.budget.resources import RESOURCES
from thrifty.budget.states import BudgetState, DecisionState, SpendState
from thrifty.ledger.records import Balance

RunStatus = Literal["done", "halted"]
ReceiptLineStatus = Literal["done", "cut", "failed", "skipped", "stopped", "replaced", "overhead"]


class ReceiptLineState(TypedDict):
    """A `ReceiptLine` as plain data."""

    label: str
    executor: str
    status: str
    planned: SpendState | None
    actual: SpendState
    value: float
    reason: str
    started_ms: int | None
    ended_ms: int | None


class ReceiptState(TypedDict):
    """A `Receipt` as plain data."""

    run_id: str
    task: str
    status: str
    halt_reason: str
    budget: BudgetState
    spent: SpendState
    planned: SpendState
    within_budget: bool
    bound_by: list[str]
    bound_by_accounts: list[str]
    lines: list[ReceiptLineState]
    decisions: list[DecisionState]


@dataclass(frozen=True, slots=True)
class ReceiptLine(PlainData[ReceiptLineState]):
    """One line of a receipt: something that was planned, or paid, or both."""

    PLAIN_NAME = "receipt.lines"
    MAY_LACK = ("started_ms", "ended_ms")

    label: str
    """The option, or what else was paid for."""
    executor: str
    status: ReceiptLineStatus
    """`replaced`: planned at first and dropped by a later plan. `overhead`: no step."""
    planned: Spend | None
    """What the first plan expected of it; None when it was not in that plan."""
    actual: Spend
    value: float
    """What it added: its estimated value where it left a text, else nothing."""
    reason: str = ""
    started_ms: int | None = None
    """When it was begun, in milliseconds of the run's active time; None when it never was."""
    ended_ms: int | None = None

    def __post_init__(self) -> None:
        for field in ("label", "executor", "reason"):
            validate.any_string(f"receipt.lines.{field}", getattr(self, field))
        validate.choice("receipt.lines.status", self.status, get_args(ReceiptLineStatus))
        validate.number("receipt.lines.value", self.value)
        validate.time_span("receipt.lines", self.started_ms, self.ended_ms)


@dataclass(frozen=True, slots=True)
class Receipt(PlainData[ReceiptState]):
    """What was asked, given, planned, spent and decided."""

    DERIVED = ("within_budget",)

    run_id: str
    task: str
    status: RunStatus
    halt_reason: str
    """Why the run ended before its plan was complete; empty when it did not."""
    budget: Budget
    spent: Spend
    """All of it: steps, failures, retries, option proposals; latency is the run's active time."""
    planned: Spend
    """What the first plan expected."""
    bound_by: tuple[str, ...]
    """The resources that kept something better out."""
    bound_by_accounts: tuple[str, ...]
    """What accounts above the run's have left, in words, where that kept something better out."""
    lines: tuple[ReceiptLine, ...]
    decisions: tuple[Decision, ...]

    def __post_init__(self) -> None:
        for field in ("run_id", "task", "halt_reason"):
            validate.any_string(f"receipt.{field}", getattr(self, field))
        for name in self.bound_by:
            validate.any_string("receipt.bound_by", name)
        for told in self.bound_by_accounts:
            validate.any_string("receipt.bound_by_accounts", told)
        validate.choice("receipt.status", self.status, get_args(RunStatus))

    @property
    def within_budget(self) -> bool:
        """Whether no limit was passed."""
        return self.budget.covers(self.spent)

    @property
    def value(self) -> float:
        """The estimated value of all that was done."""
        return sum(line.value for line in self.lines)


def make_receipt_lines(
    first_plan: Plan,
    last_plan: Plan,
    outcomes: Sequence[Outcome],
    overheads: Iterable[tuple[str, Spend]],
) -> tuple[ReceiptLine, ...]:
    """The rows: overheads first, then attempts as they ended, then what was never tried.

    Args:
        first_plan: what was expected before anything ran.
        last_plan: the plan in force at the end.
        outcomes: every attempt.
        overheads: what was paid beside the steps, and what for.
    """
    planned = {option.name: option.estimate for option in first_plan.chosen}
    tried = {outcome.option.name for outcome in outcomes}
    kept = {option.name for option in last_plan.chosen}
    untried = [option for option in first_plan.chosen if option.name not in tried]
    return (
        # A run begins with the call for proposals: nothing else is paid beside the steps.
        *(
            ReceiptLine(what, "", "overhead", None, spend, 0.0, "", 0, spend.latency_ms)
            for what, spend in overheads
        ),
        *(_attempt_line(outcome, planned.get(outcome.option.name)) for outcome in outcomes),
        *(_untried_line(option, option.name in kept) for option in untried),
    )


def _untried_line(option: StepOption, is_kept: bool) -> ReceiptLine:
    status: ReceiptLineStatus = "skipped" if is_kept else "replaced"
    reason = "the run ended before it was begun" if is_kept else ""
    return ReceiptLine(option.name, option.executor, status, option.estimate, Spend(), 0.0, reason)


def _attempt_line(outcome: Outcome, planned: Spend | None) -> ReceiptLine:
    return ReceiptLine(
        label=outcome.option.name,
        executor=outcome.option.executor,
        status=outcome.status,
        planned=planned,
        actual=outcome.actual,
        value=outcome.option.value if outcome.has_text else 0.0,
        reason=outcome.reason,
        started_ms=outcome.started_ms,
        ended_ms=outcome.ended_ms,
    )


def binding_accounts(balance: Balance, wanted: Sequence[StepOption]) -> tuple[str, ...]:
    """What the limits that others share have left, of those that were too low for some option."""
    return tuple(
        str(period)
        for period in balance.periods[1:]
        if any(not period.left.covers(replace(option.estimate, latency_ms=0)) for option in wanted)
    )


def binding_resources(left: Budget, wanted: Iterable[StepOption]) -> tuple[str, ...]:
    """The resources of which too little is left for some option that would have been better."""
    missing = {name for option in wanted for name in left.exceeded_by(option.estimate)}
    return tuple(resource.name for resource in RESOURCES if resource.name in missing)
