"""The planning problem, as data: which steps there are, what is left, what a plan must keep.

It is a multidimensional multiple-choice knapsack with optional groups (steps), precedence
(requirements), a cardinality limit (`max_steps`) and redundancy between chosen members.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from operator import add
from typing import Literal, get_args

from thrifty.budget import validate
from thrifty.budget.limits import Budget
from thrifty.budget.option import SPEND_EXAMPLE, StepOption
from thrifty.budget.spend import Spend
from thrifty.budget.step import Step

MAX_STEPS_DEFAULT = 12
STEPS_LIMIT = "max_steps"
"""What the limit on the number of steps is called, beside the resources."""
DIVERSITY_PENALTY_DEFAULT = 0.2
RISK_DEFAULT = 0.3
"""Measured: `benchmarks/planning_risk.py` and its table in `benchmarks/README.md`."""
RISK_MIN, RISK_MAX = 0.0001, 0.5

Schedule = Literal["flow", "waves"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Choose at most one option of each step: the most value that fits in what is left.

    The value of a plan is the sum of its options' values, less `diversity_penalty` for every
    pair of chosen steps (done ones included) that share a topic. Replanning is the same call,
    with the finished steps in `done` and their cost in `spent`, or already out of `left`.
    """

    steps: tuple[Step, ...]
    """The steps that may still be done, each name once."""
    left: Budget
    """What is left of every resource; a resource without a limit does not bind."""
    max_steps: int = MAX_STEPS_DEFAULT
    """The most steps a plan may have, done ones not counted."""
    diversity_penalty: float = DIVERSITY_PENALTY_DEFAULT
    """What a pair of steps on one topic takes off the value."""
    done: tuple[Step, ...] = ()
    """Steps that are done: they satisfy requirements, and their topics are taken."""
    lost: tuple[Step, ...] = ()
    """Steps that nobody can do. One that is required leaves only plans with an answer beside which
    it is not required. Material that they alone read is of no use."""
    spent: Spend = Spend()
    """What was spent since `left` was counted; zero when `left` already knows of it."""
    kept_back: Spend = Spend()
    """A slice that no step may use, such as the price of a final polish."""
    concurrency: int = 1
    """How many steps run side by side. One: their latencies add up. More: the makespan counts."""
    schedule: Schedule = "flow"
    """With concurrency, when the next step starts: as soon as a place is free (`flow`), or when
    all that were sent together are back (`waves`, the way LangGraph fans out)."""
    risk: float = RISK_DEFAULT
    """The chance, at most, that the plan outgrows a limit; 0.5 plans on the bare estimates."""
    residuals: tuple[float, ...] = ()
    """Residuals: (actual - estimate) / (spread x estimate) of steps that have run. From
    `thrifty.planning.risk.SAMPLES_MIN` of them on, they replace the Gaussian."""

    def __post_init__(self) -> None:
        validate.instance("left", self.left, Budget, "Budget(max_tokens=2_200)")
        for name in ("spent", "kept_back"):
            validate.instance(name, getattr(self, name), Spend, SPEND_EXAMPLE)
        for name in ("steps", "done", "lost"):
            validate.members(name, getattr(self, name), Step, "Step(...)")
        validate.instance("residuals", self.residuals, Sequence, "(0.1, -0.2)")
        validate.amount("max_steps", self.max_steps, maximum=100_000)
        validate.number("diversity_penalty", self.diversity_penalty)
        validate.amount("concurrency", self.concurrency, minimum=1, maximum=1_000)
        validate.choice("schedule", self.schedule, get_args(Schedule))
        validate.number("risk", self.risk, minimum=RISK_MIN, maximum=RISK_MAX)
        for residual in self.residuals:
            validate.number("residuals", residual, minimum=-1e6, maximum=1e6)

    @property
    def available(self) -> Budget:
        """What the plan may use: what is left, less what was spent since and is kept back."""
        return Budget.of_limits(self.available_limits)

    @property
    def available_limits(self) -> tuple[int | None, ...]:
        """What the plan may use of each resource, in the units of a `Spend`."""
        taken = map(add, self.spent.amounts, self.kept_back.amounts)
        return tuple(
            [
                None if limit is None else max(0, limit - amount)  # an overrun leaves nothing
                for limit, amount in zip(self.left.limits, taken, strict=True)
            ]
        )


def plan_value(problem: Problem, chosen: Collection[StepOption]) -> float:
    """What these options are worth together under the problem's redundancy."""
    topic_of = {step.name: step.topic for step in problem.steps}
    topics = [topic_of[option.step] for option in chosen]
    pairs = count_topic_pairs(topics, [step.topic for step in problem.done])
    return fsum([option.value for option in chosen]) - problem.diversity_penalty * pairs


def count_topic_pairs(topics: Iterable[str], taken: Iterable[str]) -> int:
    """How many pairs of steps share a topic, at least one of each pair not among the taken."""
    times, pairs = Counter(taken), 0
    for topic in topics:
        pairs += times[topic]
        times[topic] += 1
    return pairs
