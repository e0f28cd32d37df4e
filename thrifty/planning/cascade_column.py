"""What a cascade is expected to use: one column of the plan for two attempts.

With c and var the mean and the variance of each attempt's bill, φ the chance that the first fails
its check, and m how much dearer the second is then, over the two paths

    C = c_first + φ·m·c_then        Var = E[mean² + var of the path] - C²

so that the spread is √Var / C. What both come to at most is no part of the plan: the second attempt
is reserved when it is made.
"""

from dataclasses import replace
from math import sqrt

from thrifty.budget import Cascade, Spend, Step, StepOption
from thrifty.budget.option import SPREAD_MAX
from thrifty.budget.spend import SPEND_FIELDS

CALLS = SPEND_FIELDS.index("tool_calls")
UNCERTAIN = CALLS
"""The resources before the calls are uncertain. Calls are counted: both may be made."""


def column_amounts(
    cascade: Cascade, first: tuple[int, ...], then: tuple[int, ...]
) -> tuple[int, ...]:
    """What a cascade is expected to use of each resource, by what its two options are."""
    share = cascade.chance * cascade.bill_ratio
    uncertain = (a + round(share * b) for a, b in zip(first[:CALLS], then[:CALLS], strict=True))
    return (*uncertain, first[CALLS] + then[CALLS])


def with_columns(step: Step) -> Step:
    """A step whose cascades are expected to use what follows from its other options as they are
    now."""
    options = {option.name: option for option in step.options}
    changed = [_with_column(option, options) for option in step.options]
    return step.with_options(tuple(changed))


def _with_column(option: StepOption, options: dict[str, StepOption]) -> StepOption:
    if option.cascade is None:
        return option
    first, then = options[option.cascade.first], options[option.cascade.then]
    amounts = column_amounts(option.cascade, first.estimate.amounts, then.estimate.amounts)
    return option.with_estimate(Spend(*amounts), _column_spread(option.cascade, first, then))


def make_cascade(name: str, cascade: Cascade, first: StepOption, then: StepOption) -> StepOption:
    """The option to try one option and, where its result fails, another of the same step.

    Its value is left at nothing.
    """
    amounts = column_amounts(cascade, first.estimate.amounts, then.estimate.amounts)
    return replace(
        first,
        name=name,
        estimate=Spend(*amounts),
        spread=_column_spread(cascade, first, then),
        output_tokens=max(first.expected_output_tokens, then.expected_output_tokens),
        value=0.0,
        quality=None,
        cascade=cascade,
    )


def _column_spread(cascade: Cascade, first: StepOption, then: StepOption) -> float:
    """The widest of the resources' spreads: where one of the two is free, its money says little."""
    pairs = zip(first.estimate.amounts[:UNCERTAIN], then.estimate.amounts, strict=False)
    spreads = (
        _spread_of(cascade, (amount, first.spread), (later, then.spread))
        for amount, later in pairs
        if amount or later
    )
    return min(SPREAD_MAX, max(spreads, default=0.0))


def _spread_of(cascade: Cascade, first: tuple[int, float], then: tuple[int, float]) -> float:
    """The spread of one resource, of which the two options have a mean and a spread each."""
    mean_first, spread_first = first
    mean_then, spread_then = then[0] * cascade.bill_ratio, then[1]
    mean = mean_first + cascade.chance * mean_then
    if not mean:
        return 0.0
    variance_first = (spread_first * mean_first) ** 2
    variance_both = variance_first + (spread_then * mean_then) ** 2
    square = (1 - cascade.chance) * (mean_first**2 + variance_first)
    square += cascade.chance * ((mean_first + mean_then) ** 2 + variance_both)
    return sqrt(max(0.0, square - mean**2)) / mean
