"""The chance that an option's result is right, and what a right one is worth.

The value of an option is the one times the other. An option that says its quality has said both.
Of others, the best one of a step is taken to be as good as a model in its role usually is: that
says what a right result is worth, and so the chances of the rest.
"""

from thrifty.budget import Step, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.registry import MODEL_EXECUTORS
from thrifty.options import priors
from thrifty.planning.check_odds import CheckOdds, prior_odds

CHANCE_MIN, CHANCE_MAX = 0.01, 0.99


def worth_when_right(step: Step, access: ModelAccess) -> float:
    """What a right result of a step is worth."""
    told = [option.value / option.quality for option in step.options if option.quality]
    if told:
        return max(told)
    best = max(step.options, key=lambda option: option.value)
    return best.value / _usual_quality(best, access)


def chance_right(option: StepOption, worth: float) -> float:
    """The chance that the result of an option is right.

    Args:
        option: of a step.
        worth: what a right result of that step is worth.
    """
    if option.quality is not None:
        chance = option.quality
    else:
        chance = option.value / worth if worth else 0.0
    return min(CHANCE_MAX, max(CHANCE_MIN, chance))


def odds_between(
    first: StepOption, then: StepOption, worth: float, sensitivity: float, specificity: float
) -> CheckOdds:
    """The odds of trying one option, checking its result, and trying another where that fails.

    Args:
        first: what is tried first.
        then: what is tried where the result of the first fails.
        worth: what a right result of their step is worth.
        sensitivity: the share of right results that the check passes.
        specificity: the share of wrong results that it fails.
    """
    chances = chance_right(first, worth), chance_right(then, worth)
    return prior_odds(*chances, sensitivity, specificity)


def _usual_quality(option: StepOption, access: ModelAccess) -> float:
    if option.executor in MODEL_EXECUTORS:
        return priors.model_quality(access.role_of(option).name)
    return priors.EXECUTOR_QUALITY
