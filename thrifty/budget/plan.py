"""A plan: the chosen options, what they should cost and bring, and why the others stayed out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

from thrifty.budget import validate
from thrifty.budget.option import StepOption
from thrifty.budget.plain_data import PlainData
from thrifty.budget.spend import Spend, total_spend

if TYPE_CHECKING:
    from thrifty.budget.states import LeftOutState, PlanState

VALUE_TOLERANCE = 1e-6
"""Values are told apart by this share of them."""

PlanStatus = Literal["optimal", "feasible", "infeasible"]


@dataclass(frozen=True, slots=True)
class LeftOut(PlainData["LeftOutState"]):
    """An option that was not chosen."""

    PLAIN_NAME = "left_out"

    option: str
    step: str
    reason: str
    """In plain words: "alternative chosen", "412 tokens short"."""
    short_of: tuple[str, ...] = ()
    """The limits that kept it out: the names of resources, and `max_steps`."""


@dataclass(frozen=True, slots=True)
class Plan(PlainData["PlanState"]):
    """What is to be done, in running order.

    `optimal`: proven that nothing worth more fits. `feasible`: fits, not proven best.
    `infeasible`: what is required does not fit, nothing is chosen, and `note` says why.
    """

    MAY_LACK = ("best", "chance", "uncounted", "share")
    DERIVED = ("share",)

    status: PlanStatus
    engine: str
    """Which planner made it: "beam", "exact"."""
    chosen: tuple[StepOption, ...] = ()
    """At most one option a step, in running order."""
    value: float = 0.0
    """What the chosen options are worth together, redundancy taken off."""
    bound: float = 0.0
    """No plan can be worth more than this."""
    left_out: Sequence[LeftOut] = ()
    """Every option that was not chosen, with its reason, in the order of the recipe: a tuple, or
    from a planner a `LazySequence`, as most plans are compared and nobody reads their reasons."""
    note: str = ""
    """A remark on the whole plan."""
    best: float | None = None
    """What the best plan would be worth if no resource were limited. None: nobody has looked, or
    it was not proven."""
    chance: float | None = None
    """The chance that it stays within every limit, where it does not fit with its margin and is
    begun all the same, as the ledger holds the budget. None: it fits."""
    uncounted: tuple[str, ...] = ()
    """The executors whose help the value does not count, as only steps can use them and no model
    was asked for steps."""
    nodes: int = 0
    """How many partial plans the planner looked at: its effort, the same on every machine."""
    elapsed_us: int = field(default=0, compare=False)
    """How long planning took. No part of the plan's state: two runs of one problem are equal."""

    def __post_init__(self) -> None:
        validate.choice("plan.status", self.status, get_args(PlanStatus))
        if self.chance is not None:
            validate.number("plan.chance", self.chance, maximum=1.0)
        validate.strings("plan.uncounted", self.uncounted)
        validate.unique_names("plan.chosen", [option.step for option in self.chosen])

    @property
    def expected(self) -> Spend:
        """What the chosen options are expected to use together, one after another."""
        return total_spend(option.estimate for option in self.chosen)

    @property
    def gap(self) -> float:
        """How far, at most, the value is from the best: a share of the bound."""
        return (self.bound - self.value) / self.bound if self.bound > 0 else 0.0

    @property
    def share(self) -> float | None:
        """What part of the best the value is. None where that is not known."""
        return share_of_best(self.value, self.best)

    def told_with(self, best: float | None, uncounted: Iterable[str] = ()) -> Plan:
        """The same with what its value is told beside.

        Args:
            best: what the best plan would be worth, which is no less than this one.
            uncounted: the executors whose help the value does not count.
        """
        best = None if best is None else max(best, self.value)
        return replace(self, best=best, uncounted=tuple(uncounted))

    def as_infeasible(self, why: str) -> Plan:
        """The same as an infeasible plan, for a reason that no budget mends. `left_out` is kept."""
        return Plan("infeasible", self.engine, left_out=self.left_out, note=why)


def share_of_best(value: float, best: float | None) -> float | None:
    """What part of the best a value is, at most 1. None where there is nothing to compare with."""
    if best is None or best <= 0 or value < 0:
        return None
    return 1.0 if value >= best * (1 - VALUE_TOLERANCE) else value / best
