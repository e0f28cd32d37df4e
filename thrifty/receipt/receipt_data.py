"""The receipt as data, made from the plan, the outcomes and the ledger's entries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from typing_extensions import TypedDict

from thrifty.budget import Budget, Outcome, Spend, StepOption, validate
from thrifty.budget.decision import Decision
from thrifty.budget.plain_data import PlainData
from thrifty.budget.plan import share_of_best
from thrifty.budget.resources import COST, RESOURCES
from thrifty.budget.states import BudgetState, DecisionState, SpendState
from thrifty.ledger.records import Balance
from thrifty.planning.problem import STEPS_LIMIT

RunStatus = Literal["done", "halted"]
HaltCause = Literal["", "model", "price"]
"""`model`: none could be asked, or none gave a usable answer. `price`: nobody knows what the models
cost, and money is limited. Empty for anything else."""
ReceiptLineStatus = Literal[
    "done",
    "cut",
    "rejected",
    "failed",
    "skipped",
    "stopped",
    "unknown",
    "replaced",
    "dropped",
    "overhead",
]
LIMITS = (*(resource.name for resource in RESOURCES), STEPS_LIMIT)
"""What can keep something out, in the order in which it is told."""
SUM_MAX = 1e18
"""No sum of values is larger."""


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
    cause: str
    warnings: list[str]
    account: str
    best: float | None
    repeated: float
    uncounted: list[str]
    value: float
    share: float | None


@dataclass(frozen=True, slots=True)
class ReceiptLine(PlainData[ReceiptLineState]):
    """One line of a receipt: something that was planned, or paid, or both."""

    PLAIN_NAME = "receipt.lines"
    MAY_LACK = ("started_ms", "ended_ms")

    label: str
    """The option, or what else was paid for."""
    executor: str
    status: ReceiptLineStatus
    """`rejected`: it left a text that failed a check, and that another took the place of.
    `skipped`: in the last plan, and not done. `replaced`: its step was done in another way, or
    planned anew in another way. `dropped`: a later plan did without its step. `overhead`: no step.
    """
    planned: Spend | None
    """What the first plan expected of it; None when it was not in that plan."""
    actual: Spend
    value: float
    """What it added: its estimated value where it left a text, else nothing. Nor does it add
    anything where a direct answer took its place."""
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

    DERIVED = ("within_budget", "value", "share")
    MAY_LACK = ("cause", "warnings", "account", "best", "repeated", "uncounted", "value", "share")

    run_id: str
    task: str
    status: RunStatus
    halt_reason: str
    """Why the run is halted: it ended before its plan was complete, or what was required was not
    done by somebody who can. Empty for one that is done."""
    budget: Budget
    spent: Spend
    """All of it: steps, failures, retries, option proposals; latency is the run's active time."""
    planned: Spend
    """What the first plan expected."""
    bound_by: tuple[str, ...]
    """The limits that kept something better out: the names of resources, and `max_steps`."""
    bound_by_accounts: tuple[str, ...]
    """What accounts above the run's have left, in words, where that kept something better out."""
    lines: tuple[ReceiptLine, ...]
    decisions: tuple[Decision, ...]
    cause: HaltCause = ""
    """What kind of thing halted the run, where it was no limit and no person."""
    warnings: tuple[str, ...] = ()
    """What whoever reads the result should know, in words: what failed, who stood in, what was cut
    short, who took too much, which calls are in doubt."""
    account: str = ""
    """The account above the run's, which pays for it. Empty where the run pays for itself."""
    best: float | None = None
    """What the first plan would have been worth if no resource were limited, or what was done where
    that is more. None where that is not known."""
    repeated: float = 0.0
    """What steps on one topic take off the value, as they repeat each other."""
    uncounted: tuple[str, ...] = ()
    """The executors whose help the value does not count, as only steps can use them and no model
    was asked for steps."""

    def __post_init__(self) -> None:
        for field in ("run_id", "task", "halt_reason", "account"):
            validate.any_string(f"receipt.{field}", getattr(self, field))
        for field in ("bound_by", "bound_by_accounts", "warnings", "uncounted"):
            for told in getattr(self, field):
                validate.any_string(f"receipt.{field}", told)
        for field in ("repeated", "best"):
            if (value := getattr(self, field)) is not None:
                validate.number(f"receipt.{field}", value, minimum=-SUM_MAX, maximum=SUM_MAX)
        validate.choice("receipt.status", self.status, get_args(RunStatus))
        validate.choice("receipt.cause", self.cause, get_args(HaltCause))

    @property
    def within_budget(self) -> bool:
        """Whether no limit was passed."""
        return self.budget.covers(self.spent)

    @property
    def value(self) -> float:
        """The estimated value of all that was done."""
        return sum(line.value for line in self.lines) - self.repeated

    @property
    def share(self) -> float | None:
        """What part of the best the value is. None where nothing was done, or it is not known."""
        return share_of_best(self.value, self.best) if self.has_result else None

    @property
    def has_result(self) -> bool:
        """Whether a step has left a text."""
        return any(line.status in ("done", "cut") for line in self.lines)

    def with_best(self, best: float | None) -> "Receipt":
        """The same with what would be best, which is no less than what was done."""
        return replace(self, best=None if best is None else max(best, self.value))

    @property
    def is_offline(self) -> bool:
        """Whether no model was at hand."""
        return any(decision.kind == "offline" for decision in self.decisions)


def find_payer(balance: Balance) -> str:
    """The account above a run's. Empty where the run pays for itself."""
    own, *others = (period.account for period in balance.periods)
    return next((name for name in others if name != own), "")


def binding_limits(
    wanted: Sequence[StepOption],
    kept_out: Iterable[Mapping[str, str]],
    left: Budget,
    balance: Balance,
    remaining: Spend,
    lost: Iterable[Outcome],
    cause: HaltCause = "",
) -> Mapping[str, str]:
    """The limits that kept something better out.

    Each comes with the account above the run's that set it, in words, or with an empty text.

    Args:
        wanted: the options that would have been better.
        kept_out: the limits that kept one of them out of a plan, or of being begun, and who had set
            them. Others may have given back since what they had reserved then.
        left: what is left. Of what is short now, too little was there.
        balance: says of what is short now whose limit it is.
        remaining: what the rest of the plan is expected to use.
        lost: attempts at what would have been better. Some did not fit.
        cause: of a halt. Without a price, a limit on cost keeps models out.
    """
    short = {name for option in wanted for name in left.exceeded_by(option.estimate)}
    short |= left.exceeded_by(remaining).keys()
    short |= {limit for outcome in lost for limit in outcome.short_of}
    short |= {COST.name} if cause == "price" else set()
    by_limit = dict(item for limits in kept_out for item in limits.items())
    by_limit |= {limit: balance.limited_by(limit) or by_limit.get(limit, "") for limit in short}
    return {limit: by_limit[limit] for limit in LIMITS if limit in by_limit}
