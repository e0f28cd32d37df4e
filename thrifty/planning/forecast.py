"""What is left to do, estimated anew from what work has cost so far.

The ratio of actual to estimated spend is taken as log-normal. Observations are pooled twice:
what an executor (with its model) has shown is what an option of it is expected to show, and
what the option itself has shown moves that further. Few bills shrink towards the estimate, none
leave it as it is. Only estimates and spreads change: what is reserved and capped does not.
Source of the shrinkage: B. Efron, C. Morris, "Stein's estimation rule and its competitors: an
empirical Bayes approach", Journal of the American Statistical Association 68 (1973).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp, expm1, log, log1p, sqrt
from typing import NamedTuple

from thrifty.budget.checks import AMOUNT_MAX
from thrifty.budget.option import SPREAD_MAX, StepOption
from thrifty.budget.spend import Spend
from thrifty.budget.step import Step
from thrifty.planning.moments import Belief, Moments

RATIO_MAX = 20.0
"""A ratio beyond this, or below its inverse, says no more than this: an unpaid call has none."""
SPREAD_LEAST = 0.05
"""Deviations are counted in spreads, of which smaller ones would make mountains of a token."""
UNCERTAIN = 3
"""The first so many resources come out as they may; a call is counted, not estimated."""
DRIFT_TOLD = 1.1
"""A ratio that is nearer to one than this is not worth a word."""


class Doer(NamedTuple):
    """Who does the work."""

    executor: str
    model: str = ""
    """Of an executor that asks models, which one."""

    def __str__(self) -> str:
        return self.model or self.executor


DoerOf = Callable[[StepOption], Doer]


@dataclass(frozen=True, slots=True)
class Bill:
    """What an option was estimated at by its catalog, and what it came to."""

    option: StepOption
    doer: Doer
    actual: Spend

    @property
    def deviations(self) -> tuple[float | None, ...]:
        """For each uncertain resource, how many of its deviations it came out above what was
        estimated, in logarithms; None where there is nothing to compare."""
        return tuple(
            _deviation(actual, estimate, self.option.spread)
            for actual, estimate in zip(
                self.actual.amounts[:UNCERTAIN],
                self.option.estimate.amounts[:UNCERTAIN],
                strict=True,
            )
        )


class Tally(NamedTuple):
    """Bills of one option by one doer, added up resource by resource."""

    option: str
    doer: Doer
    moments: tuple[Moments, ...] = (Moments(),) * UNCERTAIN

    def merged(self, other: Tally) -> Tally:
        """Both added up."""
        pairs = zip(self.moments, other.moments, strict=True)
        return self._replace(moments=tuple(a.merged(b) for a, b in pairs))


def tallied(bills: Iterable[Bill], known: Iterable[Tally] = ()) -> tuple[Tally, ...]:
    """Bills added up, and added to what is known already."""
    seen = Seen(known)
    for bill in bills:
        seen.add(tally_of(bill))
    return tuple(seen.options.values())


def tally_of(bill: Bill) -> Tally:
    """One bill as a tally."""
    return Tally(bill.option.name, bill.doer, tuple(map(_moments, bill.deviations)))


def forecast(steps: Iterable[Step], doer_of: DoerOf, tallies: Iterable[Tally]) -> tuple[Step, ...]:
    """The steps with the estimates and spreads that the tallies suggest; without any, as given.

    Args:
        steps: as their catalog estimates them.
        doer_of: who would do an option.
        tallies: what was seen, in earlier runs and in this one.
    """
    return Seen(tallies).steps(steps, doer_of)


class Seen:
    """Tallies, added up as they come for the questions of every option."""

    def __init__(self, tallies: Iterable[Tally]) -> None:
        self.options: dict[tuple[str, Doer], Tally] = {}
        self.doers: dict[Doer, Tally] = {}
        self._ratios: dict[tuple[Doer, int, float], tuple[float, float]] = {}
        for tally in tallies:
            self.add(tally)

    def add(self, tally: Tally) -> None:
        """Counts one more."""
        own, whole = self.options.get((tally.option, tally.doer)), self.doers.get(tally.doer)
        self.options[tally.option, tally.doer] = own.merged(tally) if own else tally
        self.doers[tally.doer] = whole.merged(tally) if whole else tally
        self._ratios.clear()

    def steps(self, steps: Iterable[Step], doer_of: DoerOf) -> tuple[Step, ...]:
        """Steps whose options are estimated anew; without any tally, as given."""
        if not self.doers:
            return tuple(steps)
        return tuple(
            step.offering(tuple([self.forecast(o, doer_of(o)) for o in step.options]))
            for step in steps
        )

    def forecast(self, option: StepOption, doer: Doer) -> StepOption:
        """One option, estimated anew."""
        if doer not in self.doers or not option.spread:
            return option
        amounts = list(option.estimate.amounts)
        spread = None
        for place in range(UNCERTAIN):
            if not amounts[place] or not self.doers[doer].moments[place].count:
                continue
            ratio, uncertainty = self._ratio(option, doer, place)
            amounts[place] = min(round(amounts[place] * ratio), AMOUNT_MAX)
            # Resources of one step drift together: the first one that is used speaks for all.
            spread = uncertainty if spread is None else spread
        if spread is None:
            return option
        return option.estimated(Spend(*amounts), spread)

    def _ratio(self, option: StepOption, doer: Doer, place: int) -> tuple[float, float]:
        """What is believed of a resource of an option whose executor was seen using it."""
        if own := self.options.get((option.name, doer)):
            belief = Belief().after(self.doers[doer].moments[place])
            return _ratio(belief.after(own.moments[place]), option.spread)
        # Most options were never seen themselves: what holds for one of them holds for all.
        key = (doer, place, option.spread)
        if key not in self._ratios:
            belief = Belief().after(self.doers[doer].moments[place])
            self._ratios[key] = _ratio(belief, option.spread)
        return self._ratios[key]


def drift(bills: Iterable[Bill]) -> str:
    """Whose bills came out above or below their estimates, and by how much, for a person.

    Of each bill, the first resource that was estimated counts. What charged nothing at all, as
    local work does, is not worth a word.
    """
    actual: Counter[Doer] = Counter()
    estimated: Counter[Doer] = Counter()
    for bill in bills:
        amounts = zip(bill.actual.amounts, bill.option.estimate.amounts, strict=True)
        spent, foreseen = next((pair for pair in amounts if pair[1]), (0, 0))
        actual[bill.doer] += spent
        estimated[bill.doer] += foreseen
    ratios = ((doer, spent / estimated[doer]) for doer, spent in actual.items() if spent)
    told = (
        f"{doer} came to {ratio:.1f} times its estimates"
        for doer, ratio in ratios
        if not 1 / DRIFT_TOLD < ratio < DRIFT_TOLD
    )
    return ", ".join(told)


def _deviation(actual: int, estimate: int, spread: float) -> float | None:
    if not estimate or not spread:
        return None
    ratio = min(max(actual / estimate, 1 / RATIO_MAX), RATIO_MAX)
    sigma = _sigma(spread)
    return (log(ratio) + sigma * sigma / 2) / sigma


def _sigma(spread: float) -> float:
    """The deviation of the logarithm, for a deviation that is a share of the mean."""
    return sqrt(log1p(max(spread, SPREAD_LEAST) ** 2))


def _ratio(belief: Belief, spread: float) -> tuple[float, float]:
    """The mean and the deviation, as a share of the mean, of a log-normal ratio."""
    sigma = _sigma(spread)
    variance = min(belief.variance * sigma * sigma, log1p(SPREAD_MAX * SPREAD_MAX))
    exponent = belief.mean * sigma - sigma * sigma / 2 + variance / 2
    edge = log(RATIO_MAX)
    ratio = exp(min(max(exponent, -edge), edge))
    return ratio, min(sqrt(expm1(variance)), SPREAD_MAX)


def _moments(deviation: float | None) -> Moments:
    return Moments() if deviation is None else Moments(1.0, deviation)
