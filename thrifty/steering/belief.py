"""What is believed of an uncertain amount, and the sample statistics that update the belief.

Observations are in units of what was expected: 0 is as expected, 1 is one standard deviation
more. What is believed before any is a normal distribution with mean 0 and variance 1 whose own
parameters are uncertain (normal-inverse-gamma). Few observations move it a little, many decide.
Source: A. Gelman et al., "Bayesian Data Analysis", 3rd edition (2013), section 3.3; merging:
T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance" (1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MEAN_WEIGHT = 2.0
"""For the mean, what was expected counts as much as so many observations."""
VARIANCE_WEIGHT = 6.0
"""The same for the variance, which takes more observations to be seen."""


@dataclass(frozen=True, slots=True)
class SampleStatistics:
    """The count, mean and squared deviations of observations; two can be merged into one."""

    count: float = 0.0
    mean: float = 0.0
    squared_deviations: float = 0.0
    """The sum of the squared distances from the mean."""

    def merge(self, other: SampleStatistics) -> SampleStatistics:
        """The summary of both."""
        count = self.count + other.count
        if not count:
            return self
        apart = other.mean - self.mean
        return SampleStatistics(
            count,
            self.mean + apart * other.count / count,
            self.squared_deviations
            + other.squared_deviations
            + apart * apart * self.count * other.count / count,
        )

    def cap_weight(self, count: float) -> SampleStatistics:
        """The same mean and variance from no more observations than that."""
        if self.count <= count:
            return self
        return SampleStatistics(count, self.mean, self.squared_deviations * count / self.count)


class Belief(NamedTuple):
    """What the next observation is believed to be."""

    mean: float = 0.0
    variance: float = 1.0

    def updated_by(self, observations: SampleStatistics) -> Belief:
        """The belief once something was seen; nothing seen changes nothing."""
        if not observations.count:
            return self
        apart = observations.mean - self.mean
        conflict = (
            apart * apart * observations.count * MEAN_WEIGHT / (observations.count + MEAN_WEIGHT)
        )
        return Belief(
            self.mean + apart * observations.count / (observations.count + MEAN_WEIGHT),
            (VARIANCE_WEIGHT * self.variance + observations.squared_deviations + conflict)
            / (VARIANCE_WEIGHT + observations.count),
        )
