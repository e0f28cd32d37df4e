"""What a plan of a decomposition is chosen by: what its options are worth, less fees for trouble.

A further step of a model costs attention, time and chances to fail, and whatever is spent could be
spent otherwise. So an option has to add more than its fee. A fee decides and is not told: `value`
of an option, and of a plan that anybody reads, is what the result is worth.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import fsum

from thrifty.budget import Budget, LeftOut, Plan, Step, StepOption
from thrifty.executors.registry import MODEL_EXECUTORS
from thrifty.options import priors
from thrifty.options.availability import offer_options

TOO_LITTLE = "adds less than its trouble"
KEPT_SHARE = 0.01
"""What makes the result keeps this share of its value whatever its fee is: a poor answer is more
than none."""


def option_fee(option: StepOption, step: Step, given: Budget) -> float:
    """What an option has to add, on the scale of values.

    Args:
        option: as it is expected.
        step: what it is a way to do.
        given: the run's own limits, so that the fee stays what it is while they are used up.
    """
    limits = zip(option.estimate.amounts, given.limits, strict=True)
    shares = [min(1.0, amount / limit) for amount, limit in limits if limit]
    # One step makes the result in any case: the answer, or the section that has to be there.
    is_further = not (step.role == "answer" or step.required)
    asks_model = option.executor in MODEL_EXECUTORS
    fee = priors.FURTHER_STEP_FEE if is_further and asks_model else 0.0
    return fee + priors.THRIFT * max(shares, default=0.0)


def with_fees(steps: Sequence[Step], given: Budget) -> tuple[tuple[Step, ...], tuple[LeftOut, ...]]:
    """The steps with values from which the fees are taken, and the options that are not worth them.

    What other steps require, and what makes the result, stays whatever its fee is.

    Args:
        steps: of a decomposition, as they are expected.
        given: the run's own limits.
    """
    needed = {name for step in steps for name in step.requires}
    kept = {s.name for s in steps if s.name in needed or s.required or s.role == "answer"}
    priced = [_less_fees(step, given, KEPT_SHARE if step.name in kept else 0.0) for step in steps]

    def reason_against(option: StepOption) -> str:
        return "" if option.value > 0 or option.step in kept else TOO_LITTLE

    return offer_options(priced, reason_against)


def without_fees(plan: Plan, steps: Sequence[Step]) -> Plan:
    """A plan as it is told: with its options as they were, and as far from its bound as it was.

    Args:
        plan: of steps with fees.
        steps: the same steps before the fees were taken.
    """
    told = {option.name: option for step in steps for option in step.options}
    fees = fsum(told[option.name].value - option.value for option in plan.chosen)
    return replace(
        plan,
        chosen=tuple(told[each.name] for each in plan.chosen),
        value=plan.value + fees,
        bound=plan.bound + fees,
    )


def add_value(step: Step, more: float) -> Step:
    """The same step, each way of which is worth so much more, or less, and never below nothing."""
    if not more:
        return step
    options = (replace(each, value=max(0.0, each.value + more)) for each in step.options)
    return step.with_options(tuple(options))


def _less_fees(step: Step, given: Budget, kept_share: float) -> Step:
    """A step with the values that fees leave, of which this share stays at the least."""

    def less(option: StepOption) -> StepOption:
        left = option.value - option_fee(option, step, given)
        return replace(option, value=max(kept_share * option.value, left))

    return step.with_options(tuple(map(less, step.options)))
