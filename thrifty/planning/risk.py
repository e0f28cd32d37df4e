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
"""Fewer observations than this say less than the recipe's own spread."""
MILLI = 1_000
CONE_SCALE = MILLI**4
"""What (limit - estimates)^2 is multiplied with before it is compared with the variances."""


@dataclass(frozen=True, slots=True)
class RiskMargin:
    """What to add to estimates, as thousandths of a standard deviation."""

    shift_milli: int = 0
    """Added to every estimate: what steps have cost too much on average."""
    z_milli: int = 0
    """How many deviations of the whole plan are kept free."""


def margin_for_risk(risk: float, residuals: Sequence[float] = ()) -> RiskMargin:
    """The margin for an accepted risk, from observations once there are enough of them."""
    if len(residuals) < SAMPLES_MIN:
        return RiskMargin(z_milli=round(MILLI * normal_quantile(1.0 - risk)))
    mean = sum(residuals) / len(residuals)
    scale = sqrt(sum((x - mean) ** 2 for x in residuals) / len(residuals))
    tail = sample_quantile(residuals, 1.0 - risk) - mean
    # A sum of steps is less skewed than one step; never plan on less than its own Gaussian.
    return RiskMargin(
        shift_milli=round(MILLI * mean),
        z_milli=max(0, round(MILLI * max(tail, scale * normal_quantile(1.0 - risk)))),
    )


@cache
def normal_quantile(probability: float) -> float:
    """The standard normal quantile, for probabilities of a half and more."""
    from statistics import NormalDist  # 8 ms that an import of the planner need not pay

    return NormalDist().inv_cdf(probability)


def sample_quantile(samples: Sequence[float], probability: float) -> float:
    """The smallest sample that is not below that share of all samples."""
    ordered = sorted(samples)
    rank = -(-round(probability * len(ordered) * MILLI) // MILLI)
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def shift_estimate(amount: int, spread_milli: int, margin: RiskMargin) -> int:
    """Adds to an estimate by how much such steps have cost more on average; never below zero."""
    return max(0, amount + amount * spread_milli * margin.shift_milli // MILLI**2)


def amount_with_margin(amount: int, spread: float, margin: RiskMargin) -> int:
    """What a plan with this estimate alone needs of a resource."""
    spread_milli = round(spread * MILLI)
    shifted = shift_estimate(amount, spread_milli, margin)
    return shifted + margin_amount((shifted * spread_milli * margin.z_milli) ** 2)


def fits_margin(room: int, variances: int) -> bool:
    """Whether the margin of a plan fits in the room that its estimates leave."""
    return room >= 0 and room * room * CONE_SCALE >= variances


def margin_amount(variances: int) -> int:
    """The margin of a plan in the unit of its resource, rounded up: the root of its variances."""
    root = isqrt(variances // CONE_SCALE)  # a float is not the same on every machine
    return root if root * root * CONE_SCALE >= variances else root + 1
