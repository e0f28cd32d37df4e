"""The chance that an option's result is right, and what a right one is worth.

The value of an option is the one times the other. An option that says its quality has said both.
Of others, the best one of a step is taken to be as good as a model in its role usually is: that
says what a right result is worth, and so the chances of the rest. Ratings move the chances.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from thrifty.budget import Step, StepOption
from thrifty.checks.checks import Checks
from thrifty.estimates.learned_odds import NO_ODDS, LearnedOdds
from thrifty.executors.model_access import ROLE_FIELD, ModelAccess
from thrifty.executors.registry import MODEL_EXECUTORS
from thrifty.options import priors
from thrifty.planning.check_odds import CheckOdds, prior_odds
from thrifty.settings import STRONG

CHANCE_MIN, CHANCE_MAX = 0.01, 0.99


@dataclass(frozen=True, slots=True)
class Chances:
    """What is known of how good results are."""

    access: ModelAccess
    """Who does an option."""
    checks: Checks
    """What results have to pass."""
    learned: LearnedOdds = NO_ODDS
    """What earlier runs say."""

    def apply_to(self, steps: Iterable[Step]) -> tuple[Step, ...]:
        """Steps with the values that ratings and verdicts suggest: the very same without any."""
        if self.learned == NO_ODDS:
            return tuple(steps)
        return tuple(map(self._with_learned_values, steps))

    def odds(self, step: Step, first: StepOption, then: StepOption, check: str) -> CheckOdds:
        """The odds of trying one option, checking its result, and trying another where that fails.

        Args:
            step: with the two.
            first: what is tried first.
            then: what is tried where the result of the first fails.
            check: the name of the check.
        """
        worth = worth_when_right(step)
        right = chance_right(first, worth), chance_right(then, worth)
        odds = prior_odds(*right, *self._strength(check, step.kind))
        who = self.access.executor_model(first), self.access.executor_model(then)
        return odds.with_after_wrong(self.learned.after_wrong(*who, step.kind, odds.after_wrong))

    def bill_ratio(self, then: StepOption, step: Step, odds: CheckOdds) -> float:
        """What an option comes to where another failed the check, as a multiple of its mean."""
        who = self.access.executor_model(then)
        return self.learned.bill_ratio(who, step.kind, odds.bill_ratio)

    def _with_learned_values(self, step: Step) -> Step:
        worth, check = worth_when_right(step), self.checks.named_by(step)
        strength = self._strength(check, step.kind)
        options = []
        for option in step.options:
            prior = chance_right(option, worth)
            who = self.access.executor_model(option)
            chance = self.learned.chance(who, step.kind, prior, check, strength)
            same = chance == prior
            options.append(
                option if same else replace(option, value=worth * chance, quality=chance)
            )
        same = all(a is b for a, b in zip(options, step.options, strict=True))
        return step if same else step.with_options(tuple(options))

    def _strength(self, check: str, kind: str) -> tuple[float, float]:
        return self.learned.strength(check, kind, self.checks.strength(check))


def worth_when_right(step: Step) -> float:
    """What a right result of a step is worth."""
    told = [option.value / option.quality for option in step.options if option.quality]
    if told:
        return max(told)
    best = max(step.options, key=lambda option: option.value)
    return best.value / _usual_quality(best)


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


def _usual_quality(option: StepOption) -> float:
    if option.executor in MODEL_EXECUTORS:
        return priors.model_quality(str(option.payload.get(ROLE_FIELD) or STRONG))
    return priors.EXECUTOR_QUALITY
