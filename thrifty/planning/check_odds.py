"""The odds of two attempts with a check between them.

The first is tried, its result is checked, and the second is bought where it fails. A check may be
wrong: it passes a share of what is right (its sensitivity) and fails a share of what is wrong (its
specificity). With p the chance that the first is right, s and t these two shares, and π the chance
that the second is right where the first is right or wrong,

    fails      φ = (1 - s)·p + t·(1 - p)
    right      s·p + (1 - s)·p·π_right + t·(1 - p)·π_wrong

What the second finds where the first was wrong is no draw of its own: both find the same questions
hard. So π is not the second's own chance.
"""

from dataclasses import dataclass, replace

from thrifty.budget import InvalidInput, validate

SENSITIVITY, SPECIFICITY = 0.8, 0.6
"""Of a check of which nothing is known."""
WRONG_BILL_RATIO = 1.3
"""What the second comes to where the first was wrong, as a multiple of where it was right: such
questions are longer. Measured in public logs."""
SHARE_AFTER_WRONG = 0.5
"""The second is right this often, as a share of its own chance, where the first was wrong."""


@dataclass(frozen=True, slots=True)
class CheckOdds:
    """The chances of two attempts at a step with a check between them, each from 0 to 1.

    Raises:
        InvalidInput: a number is out of range, or the check tells nothing.
    """

    first: float
    """That the result of the first is right."""
    then: float
    """That the result of the second is, whatever the first was."""
    sensitivity: float
    """That the check passes what is right."""
    specificity: float
    """That it fails what is wrong."""
    after_wrong: float
    """That the second is right where the first was wrong."""
    after_right: float
    """That the second is right where the first was right."""
    wrong_bill_ratio: float = WRONG_BILL_RATIO

    def __post_init__(self) -> None:
        names = ("first", "then", "sensitivity", "specificity", "after_wrong", "after_right")
        for name in names:
            validate.number(f"odds.{name}", getattr(self, name), maximum=1.0)
        require_informative(self.sensitivity, self.specificity)

    def with_after_wrong(self, after_wrong: float) -> "CheckOdds":
        """The same where another chance is known that the second is right after a wrong first. What
        it is after a right one follows from its own chance."""
        after_right = (self.then - (1 - self.first) * after_wrong) / self.first
        clipped = min(1.0, max(0.0, after_right))
        return replace(self, after_wrong=after_wrong, after_right=clipped)

    @property
    def fail_chance(self) -> float:
        """That the result of the first fails the check."""
        return self._failed_right + self._failed_wrong

    @property
    def quality(self) -> float:
        """That the result is right in the end, if what fails is tried again."""
        return self.sensitivity * self.first + self._right_at_second

    @property
    def kept_quality(self) -> float:
        """That a result is right though it failed the check."""
        return self._share_of_failed(self._failed_right)

    @property
    def quality_after_fail(self) -> float:
        """That the second is right where the first failed the check."""
        return self._share_of_failed(self._right_at_second)

    @property
    def bill_ratio(self) -> float:
        """What the second comes to after a failed check, as a multiple of its mean."""
        right = 1 / (self.first + self.wrong_bill_ratio * (1 - self.first))
        bills = (self._failed_right + self.wrong_bill_ratio * self._failed_wrong) * right
        return self._share_of_failed(bills) if self.fail_chance else 1.0

    @property
    def _failed_right(self) -> float:
        return (1 - self.sensitivity) * self.first

    @property
    def _failed_wrong(self) -> float:
        return self.specificity * (1 - self.first)

    @property
    def _right_at_second(self) -> float:
        return self._failed_right * self.after_right + self._failed_wrong * self.after_wrong

    def _share_of_failed(self, part: float) -> float:
        return part / self.fail_chance if self.fail_chance else 0.0


def require_informative(sensitivity: float, specificity: float) -> None:
    """Refuses a check that is no better than a coin: what it fails is as likely right as the rest.

    Raises:
        InvalidInput: the two shares add up to one at the most.
    """
    if sensitivity + specificity <= 1.0:
        raise InvalidInput(
            "check.specificity",
            specificity,
            f"use more than {1 - sensitivity:g}: with a sensitivity of {sensitivity:g}, the check "
            "tells nothing otherwise",
        )


def prior_odds(
    first: float,
    then: float,
    sensitivity: float = SENSITIVITY,
    specificity: float = SPECIFICITY,
) -> CheckOdds:
    """The odds where nobody has rated any result yet.

    Args:
        first: the chance that the result of the first is right, above 0.
        then: the same of the second.
        sensitivity: of the check.
        specificity: of the check.
    """
    wrong = 1 - first
    gain = (then - first) / wrong if wrong else 0.0
    odds = CheckOdds(first, then, sensitivity, specificity, 0.0, then)
    return odds.with_after_wrong(max(SHARE_AFTER_WRONG * then, gain, 0.0))
