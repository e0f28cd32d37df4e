"""Offers cascades: to try one option of a step and, where its result fails the step's check, the
other.

They stand beside the options that they are made of, and the planner chooses. They are offered where
a deployment has given the step a check. The free checks of every text see junk, which is rare: they
cause a second attempt, but no plan counts on them.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from thrifty.budget import Cascade, Step, StepOption
from thrifty.budget.option import NAME_MAX
from thrifty.options.chances import Chances, worth_when_right
from thrifty.planning.cascade_column import make_cascade

BETWEEN = ", then "
PART_MAX = (NAME_MAX - len(BETWEEN)) // 2


def offer_cascades(step: Step, chances: Chances, has_effects: Callable[[str], bool]) -> Step:
    """A step with its cascades, or the very same one where it has none.

    Args:
        step: with the options that can be had.
        chances: what is known of how good results are.
        has_effects: whether an executor changes something outside: then it is tried once at most.
    """
    name = chances.checks.named_by(step)
    if not name or step.role == "revision":
        return step
    offered = {option.name: option for option in step.options}
    for cascade in _cascades(step, name, chances, has_effects):
        offered.setdefault(cascade.name, cascade)
    return step if len(offered) == len(step.options) else step.with_options((*offered.values(),))


def _cascades(
    step: Step, check: str, chances: Chances, has_effects: Callable[[str], bool]
) -> Iterator[StepOption]:
    worth, worker = worth_when_right(step), chances.access.worker
    can_repeat = [option for option in step.options if not has_effects(option.executor)]
    for first in can_repeat:
        for then in can_repeat:
            if then.value <= first.value or worker(first) == worker(then):
                continue
            odds = chances.odds(step, first, then, check)
            value, ratio = worth * odds.quality, chances.bill_ratio(then, step, odds)
            cascade = Cascade(first.name, then.name, check, odds.fail_chance, ratio)
            option = make_cascade(_name(first, then), cascade, first, then)
            if value > first.value and not _is_dominated(option, value, then):
                yield replace(option, value=value)


def _is_dominated(cascade: StepOption, value: float, then: StepOption) -> bool:
    """Whether it is worth no more than the second option alone, and no cheaper."""
    pairs = zip(cascade.estimate.amounts, then.estimate.amounts, strict=True)
    return value <= then.value and all(amount >= direct for amount, direct in pairs)


def _name(first: StepOption, then: StepOption) -> str:
    return f"{first.name[:PART_MAX]}{BETWEEN}{then.name[:PART_MAX]}"
