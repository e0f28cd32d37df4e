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
    offered: list[Step] = []
    left_out: list[LeftOut] = []
    for step in steps:
        must_stay = step.name in needed or step.required or step.role == "answer"
        share = KEPT_SHARE if must_stay else 0.0
        priced = [_less(each, option_fee(each, step, given), share) for each in step.options]
        kept = priced if must_stay else [each for each in priced if each.value > 0]
        names = {option.name for option in kept}
        left_out += [
            LeftOut(option.name, step.name, TOO_LITTLE)
            for option in priced
            if option.name not in names
        ]
        if kept:
            offered.append(step.with_options(tuple(kept)))
    return tuple(offered), tuple(left_out)


def without_fees(plan: Plan, steps: Sequence[Step]) -> Plan:
    """A plan as it is told: with the values of its options, and as far from its bound as it was.

    Args:
        plan: of steps with fees.
        steps: the same steps before the fees were taken.
    """
    told = {option.name: option for step in steps for option in step.options}
    fees = fsum(told[option.name].value - option.value for option in plan.chosen)
    return replace(
        plan,
        chosen=tuple(replace(each, value=told[each.name].value) for each in plan.chosen),
        value=plan.value + fees,
        bound=plan.bound + fees,
    )


def _less(option: StepOption, fee: float, kept_share: float) -> StepOption:
    return replace(option, value=max(kept_share * option.value, option.value - fee))
