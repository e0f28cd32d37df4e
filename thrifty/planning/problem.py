"""The planning problem, as data: which steps there are, what is left, what a plan must keep.

It is a multidimensional multiple-choice knapsack with optional groups (steps), precedence
(requirements), a cardinality limit (`max_steps`) and redundancy between chosen members.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from thrifty.budget import checks
from thrifty.budget.limits import Budget
from thrifty.budget.option import StepOption
from thrifty.budget.step import Step

MAX_STEPS_DEFAULT = 6
DIVERSITY_PENALTY_DEFAULT = 0.2


@dataclass(frozen=True, slots=True)
class Problem:
    """Choose at most one option of each step: the most value that fits in what is left.

    The value of a plan is the sum of its options' values, less `diversity_penalty` for every
    pair of chosen steps (done ones included) that share a topic.
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

    def __post_init__(self) -> None:
        checks.amount("max_steps", self.max_steps, maximum=100_000)
        checks.number("diversity_penalty", self.diversity_penalty)


def value_of(problem: Problem, chosen: Iterable[StepOption]) -> float:
    """What these options are worth together under the problem's redundancy."""
    topic_of = {step.name: step.topic for step in problem.steps}
    topics = [step.topic for step in problem.done]
    value = 0.0
    for option in chosen:
        topic = topic_of[option.step]
        value += option.value - problem.diversity_penalty * topics.count(topic)
        topics.append(topic)
    return value
