"""How many observations there are, their mean and scatter; and how far to believe them.

Observations are in units of what was expected: 0 is as expected, 1 is one standard deviation
more. What is believed before any is a normal distribution with mean 0 and variance 1 whose own
parameters are uncertain (normal-inverse-gamma). Few observations move it a little, many decide.
Source: A. Gelman et al., "Bayesian Data Analysis", 3rd edition (2013), section 3.3; merging:
T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance" (1983).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MEAN_WEIGHT = 2.0
"""What was expected counts as much as so many observations of the mean,"""
VARIANCE_WEIGHT = 6.0
"""and as so many of the variance, which takes more of them to be seen."""


@dataclass(frozen=True, slots=True)
class Moments:
    """A summary of observations; adding one up needs no other."""

    count: float = 0.0
    mean: float = 0.0
    scatter: float = 0.0
    """The sum of the squared distances from the mean."""

    def merged(self, other: Moments) -> Moments:
        """The summary of both."""
        count = self.count + other.count
        if not count:
            return self
        apart = other.mean - self.mean
        return Moments(
            count,
            self.mean + apart * other.count / count,
            self.scatter + other.scatter + apart * apart * self.count * other.count / count,
        )

    def weighing_at_most(self, count: float) -> Moments:
        """The same mean and variance from no more observations than that."""
        if self.count <= count:
            return self
        return Moments(count, self.mean, self.scatter * count / self.count)


class Belief(NamedTuple):
    """What the next observation is believed to be."""

    mean: float = 0.0
    variance: float = 1.0

    def after(self, seen: Moments) -> Belief:
        """The belief once something was seen; nothing seen changes nothing."""
        if not seen.count:
            return self
        apart = seen.mean - self.mean
        conflict = apart * apart * seen.count * MEAN_WEIGHT / (seen.count + MEAN_WEIGHT)
        return Belief(
            self.mean + apart * seen.count / (seen.count + MEAN_WEIGHT),
            (VARIANCE_WEIGHT * self.variance + seen.scatter + conflict)
            / (VARIANCE_WEIGHT + seen.count),
        )


def summary(observations: Iterable[float]) -> Moments:
    """The moments of many observations."""
    found = Moments()
    for observation in observations:
        found = found.merged(Moments(1.0, observation))
    return found
