"""How much room a plan leaves for estimates that prove too low.

A step's actual spend has a standard deviation (`spread` times the estimate). The sum over a
plan is taken as Gaussian, so that a limit L holds with probability 1 - risk when

    sum(estimate) + z * sqrt(sum((spread * estimate)^2)) <= L,    z = the normal quantile,

a second-order cone constraint. Source: A. Charnes, W. W. Cooper, "Chance-constrained
programming", Management Science 6 (1959); S. Boyd, L. Vandenberghe, "Convex Optimization",
section 4.4.2. Everything is kept in thousandths, so that the test of the cone is one of
integers: the same on any machine, and unchanged when all amounts are scaled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isqrt, sqrt

SAMPLES_MIN = 20
"""Fewer observations than this say less than the catalog's own spread."""
MILLI = 1_000
CONE = MILLI**4
"""What (limit - estimates)^2 is multiplied with before it is compared with the variances."""


@dataclass(frozen=True, slots=True)
class Margin:
    """What to add to estimates, as thousandths of a standard deviation."""

    shift_milli: int = 0
    """Added to every estimate: what steps have cost too much on average."""
    z_milli: int = 0
    """How many deviations of the whole plan are kept free."""


def margin(risk: float, surprises: Sequence[float] = ()) -> Margin:
    """The margin for an accepted risk, from observations once there are enough of them."""
    if len(surprises) < SAMPLES_MIN:
        return Margin(z_milli=round(MILLI * normal_quantile(1.0 - risk)))
    mean = sum(surprises) / len(surprises)
    scale = sqrt(sum((x - mean) ** 2 for x in surprises) / len(surprises))
    tail = quantile(surprises, 1.0 - risk) - mean
    # A sum of steps is less skewed than one step; never plan on less than its own Gaussian.
    return Margin(
        shift_milli=round(MILLI * mean),
        z_milli=max(0, round(MILLI * max(tail, scale * normal_quantile(1.0 - risk)))),
    )


@cache
def normal_quantile(probability: float) -> float:
    """The standard normal quantile, for probabilities of a half and more."""
    from statistics import NormalDist  # 8 ms that an import of the planner need not pay

    return NormalDist().inv_cdf(probability)


def quantile(samples: Sequence[float], probability: float) -> float:
    """The smallest sample that is not below that share of all samples."""
    ordered = sorted(samples)
    rank = -(-round(probability * len(ordered) * MILLI) // MILLI)
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def shifted(amount: int, spread_milli: int, margin: Margin) -> int:
    """An estimate with what such steps have cost too much on average; never below zero."""
    if not margin.shift_milli:
        return amount
    return max(0, amount + amount * spread_milli * margin.shift_milli // MILLI**2)


def variance(amount: int, spread_milli: int, margin: Margin) -> int:
    """The square of the margin of one step, in units of 1 / `CONE`."""
    return (amount * spread_milli * margin.z_milli) ** 2


def within(room: int, variances: int) -> bool:
    """Whether the margin of a plan fits in the room that its estimates leave."""
    return room >= 0 and room * room * CONE >= variances


def reserve(variances: int) -> int:
    """The margin of a plan in the unit of its resource, rounded up."""
    root = isqrt(variances // CONE)
    return root if root * root * CONE >= variances else root + 1
