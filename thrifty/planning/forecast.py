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
UNSEEN = Moments()
MEAN_GRAIN = 0.02
"""What is believed of a doer is kept to a fiftieth of a deviation,"""
VARIANCE_GRAIN = 0.05
"""and its variance to a twentieth of itself: what is finer is noise, and would move all that is
still open with every bill."""
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


class Ratio(NamedTuple):
    """How much of an estimate is expected to be used."""

    mean: float
    spread: float
    """Its standard deviation, as a share of the mean."""


class Ratios(NamedTuple):
    """The same of all that an option uses."""

    means: tuple[float | None, ...]
    """For each uncertain resource; none where it is not used, or was not seen in use."""
    spread: float
    """Resources of one step drift together: the first one speaks for all."""


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
    moments: tuple[Moments, ...] = (UNSEEN,) * UNCERTAIN

    def merged(self, other: Tally) -> Tally:
        """Both added up."""
        return self._replace(moments=tuple(map(Moments.merged, self.moments, other.moments)))


NOTHING_SEEN = Tally("", Doer(""))


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


_OfDoer = tuple[Belief | None, ...]
"""For each uncertain resource, what is believed of all that a doer does."""


class Seen:
    """Tallies, added up as they come for the questions of every option.

    A long run asks again after every bill: a step of which the same is expected as before is the
    very same step, and a belief is made out once for all that it is about.
    """

    def __init__(self, tallies: Iterable[Tally]) -> None:
        self.options: dict[tuple[str, Doer], Tally] = {}
        self.doers: dict[Doer, Tally] = {}
        self.changes = 0
        """How often something else was believed of all that a doer does; a bill that changes
        nothing of that says something of its own option alone."""
        self._of_doers: dict[Doer, _OfDoer] = {}
        self._believed: dict[Believed, tuple[_OfDoer, Tally, Ratios | None]] = {}
        """With what each belief was made of."""
        self._steps: dict[str, _Known] = {}
        self._steps_of: dict[str, str] = {}
        for tally in tallies:
            self.add(tally)

    def add(self, tally: Tally) -> None:
        """Counts one more."""
        own, whole = self.options.get((tally.option, tally.doer)), self.doers.get(tally.doer)
        self.options[tally.option, tally.doer] = own.merged(tally) if own else tally
        self.doers[tally.doer] = whole.merged(tally) if whole else tally
        self._steps.pop(self._steps_of.get(tally.option, ""), None)
        believed = tuple(map(_of_doer, self.doers[tally.doer].moments))
        if believed != self._of_doers.get(tally.doer):
            self._of_doers[tally.doer] = believed
            self.changes += 1

    def steps(self, steps: Iterable[Step], doer_of: DoerOf) -> tuple[Step, ...]:
        """Steps whose options are estimated anew; without any tally, as given.

        Who would do an option has to be the same at each call.
        """
        if not self.doers:
            return tuple(steps)
        return tuple([self.step(step, doer_of) for step in steps])

    def forecast(self, option: StepOption, doer: Doer) -> StepOption:
        """One option, estimated anew."""
        return _estimated(option, self.ratios(self.about(option, doer)))

    def step(self, step: Step, doer_of: DoerOf) -> Step:
        """One step, its options estimated anew."""
        known = self._steps.get(step.name)
        if known is None or known.declared is not step:
            about = [self.about(option, doer_of(option)) for option in step.options]
            known = self._steps[step.name] = _Known(step, about)
            self._steps_of |= {option.name: step.name for option in step.options}
        if known.changes != self.changes:
            known.expect(list(map(self.ratios, known.about)), self.changes)
        return known.expected

    def about(self, option: StepOption, doer: Doer) -> Believed:
        """Which belief is about an option: what holds for one that was never seen itself holds
        for all."""
        seen = option.name if (option.name, doer) in self.options else ""
        uses = tuple(map(bool, option.estimate.amounts[:UNCERTAIN]))
        return Believed(doer, option.spread, seen, uses)

    def ratios(self, of: Believed) -> Ratios | None:
        """What is believed, if anything is."""
        of_doer = self._of_doers.get(of.doer)
        if of_doer is None or not of.spread:
            return None
        own = self.options.get((of.option, of.doer), NOTHING_SEEN)
        known = self._believed.get(of)
        if known is None or known[0] is not of_doer or known[1] is not own:
            known = self._believed[of] = of_doer, own, _ratios(of, of_doer, own)
        return known[2]


class Believed(NamedTuple):
    """What a belief is about: all options of a doer with that spread and those uses, or the one
    that is named."""

    doer: Doer
    spread: float
    option: str
    uses: tuple[bool, ...]
    """For each uncertain resource, whether it was estimated to be used."""


def _ratios(of: Believed, of_doer: _OfDoer, own: Tally) -> Ratios | None:
    ratios = [
        _ratio(of.spread, belief, moments) if belief and is_used else None
        for is_used, belief, moments in zip(of.uses, of_doer, own.moments, strict=True)
    ]
    first = next(filter(None, ratios), None)
    means = tuple([ratio and ratio.mean for ratio in ratios])
    return None if first is None else Ratios(means, first.spread)


class _Known:
    """A step, and what was last expected of it."""

    def __init__(self, declared: Step, about: list[Believed]) -> None:
        self.declared = self.expected = declared
        self.about = about
        """Which beliefs are about its options."""
        self.ratios: list[Ratios | None] = [None] * len(about)
        self.changes = -1

    def expect(self, ratios: list[Ratios | None], changes: int) -> None:
        """Other ratios make another step; the same ones leave it the very same."""
        if ratios != self.ratios:
            options = tuple(map(_estimated, self.declared.options, ratios))
            self.expected = self.declared.with_options(options)
        self.ratios, self.changes = ratios, changes


def _estimated(option: StepOption, ratios: Ratios | None) -> StepOption:
    if ratios is None:
        return option
    return option.with_estimate(Spend(*expected_amounts(option.estimate, ratios)), ratios.spread)


def expected_amounts(estimate: Spend, ratios: Ratios | None) -> tuple[int, ...]:
    """What is expected to be used of each resource, in the order of a `Spend`."""
    if ratios is None:
        return estimate.amounts
    amounts = list(estimate.amounts)
    for place, mean in enumerate(ratios.means):
        if mean is not None:
            amounts[place] = min(round(amounts[place] * mean), AMOUNT_MAX)
    return tuple(amounts)


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


def _of_doer(moments: Moments) -> Belief | None:
    """What is believed of a resource of all that a doer does; none where it was not seen in use."""
    if not moments.count:
        return None
    mean, variance = Belief().after(moments)
    return Belief(
        round(mean / MEAN_GRAIN) * MEAN_GRAIN,
        exp(round(log(variance) / VARIANCE_GRAIN) * VARIANCE_GRAIN),
    )


def _ratio(spread: float, of_doer: Belief, own: Moments) -> Ratio:
    """What is believed of a resource of an option whose executor was seen using it."""
    belief = of_doer.after(own)
    sigma = _sigma(spread)
    variance = min(belief.variance * sigma * sigma, log1p(SPREAD_MAX * SPREAD_MAX))
    exponent = belief.mean * sigma - sigma * sigma / 2 + variance / 2
    edge = log(RATIO_MAX)
    mean = exp(min(max(exponent, -edge), edge))
    return Ratio(mean, min(sqrt(expm1(variance)), SPREAD_MAX))


def _moments(deviation: float | None) -> Moments:
    return UNSEEN if deviation is None else Moments(1.0, deviation)
