"""Forecasts what is left to do: estimates corrected by what work has cost so far.

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

from thrifty.budget.option import SPREAD_MAX, StepOption
from thrifty.budget.spend import Spend
from thrifty.budget.step import Step
from thrifty.budget.validate import AMOUNT_MAX
from thrifty.planning.cascade_column import with_columns
from thrifty.steering.belief import Belief, SampleStatistics

RATIO_MAX = 20.0
"""A ratio beyond this, or below its inverse, says no more than this: an unpaid call has none."""
SPREAD_MIN = 0.05
"""Deviations are counted in spreads; below this spread a single token would count for much."""
UNCERTAIN_RESOURCES = 3
"""How many resources, the first ones, are uncertain; a call is counted, not estimated."""
NO_OBSERVATIONS = SampleStatistics()
MEAN_STEP = 0.02
"""The mean that is believed of an executor model is rounded to a fiftieth of a deviation,"""
LOG_VARIANCE_STEP = 0.05
"""and its variance to a twentieth of itself: what is finer is noise, and would move all that is
still open with every bill."""
DRIFT_RATIO_MIN = 1.1
"""A ratio nearer to one than this is not mentioned."""


class ExecutorModel(NamedTuple):
    """Who performs an option: an executor, and the model that it asks."""

    executor: str
    model: str = ""
    """Of an executor that asks models, which one."""

    def __str__(self) -> str:
        return self.model or self.executor


ExecutorModelOf = Callable[[StepOption], ExecutorModel]


class Ratios(NamedTuple):
    """How much of the estimates of an option is expected to be used."""

    means: tuple[float | None, ...]
    """For each uncertain resource; None where it is not used, or no bill shows it in use."""
    spread: float
    """The standard deviation as a share of the mean. Resources of one step drift together: the
    first one speaks for all."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What an option was estimated at by its recipe, and what it came to."""

    option: StepOption
    executor_model: ExecutorModel
    actual: Spend

    @property
    def deviations(self) -> tuple[float | None, ...]:
        """For each uncertain resource, how many of its deviations it came out above what was
        estimated, in logarithms; None where there is nothing to compare."""
        pairs = list(zip(self.actual.amounts, self.option.estimate.amounts, strict=True))
        spread = self.option.spread
        return tuple([_deviation(*pair, spread) for pair in pairs[:UNCERTAIN_RESOURCES]])


class BillSummary(NamedTuple):
    """The bills of one option by one executor model, summed up resource by resource."""

    option: str
    executor_model: ExecutorModel
    statistics: tuple[SampleStatistics, ...] = (NO_OBSERVATIONS,) * UNCERTAIN_RESOURCES

    def merge(self, other: BillSummary) -> BillSummary:
        """Both added up."""
        return self._replace(
            statistics=tuple(map(SampleStatistics.merge, self.statistics, other.statistics))
        )


NO_BILLS = BillSummary("", ExecutorModel(""))


def summarise_bills(bills: Iterable[Bill]) -> tuple[BillSummary, ...]:
    """Sums up bills by option and executor model."""
    return tuple(Forecaster(map(summarise_bill, bills)).by_option.values())


def summarise_bill(bill: Bill) -> BillSummary:
    """The summary of one bill."""
    return BillSummary(
        bill.option.name, bill.executor_model, tuple(map(_single_statistic, bill.deviations))
    )


_ExecutorModelBeliefs = tuple[Belief | None, ...]
"""For each uncertain resource, what is believed of all that an executor model does."""


class Forecaster:
    """Forecasts options from bills, which are summed up as they come.

    A long run asks again after every bill: a step of which the same is expected as before is the
    very same step, and a belief is made out once for all that it is about.
    """

    def __init__(self, summaries: Iterable[BillSummary]) -> None:
        self.by_option: dict[tuple[str, ExecutorModel], BillSummary] = {}
        self.by_executor_model: dict[ExecutorModel, BillSummary] = {}
        self.version = 0
        """Counts the changes of what is believed of an executor model; a bill that changes
        nothing of that says something of its own option alone."""
        self._executor_model_beliefs: dict[ExecutorModel, _ExecutorModelBeliefs] = {}
        self._ratios_by_belief: dict[
            BeliefKey, tuple[_ExecutorModelBeliefs, BillSummary, Ratios | None]
        ] = {}
        """With what each belief was made of."""
        self._steps: dict[str, _StepForecast] = {}
        self._step_of_option: dict[str, str] = {}
        for summary in summaries:
            self.add(summary)

    def add(self, summary: BillSummary) -> None:
        """Counts one more."""
        executor_model = summary.executor_model
        key = summary.option, executor_model
        own, whole = self.by_option.get(key), self.by_executor_model.get(executor_model)
        self.by_option[key] = own.merge(summary) if own else summary
        whole = self.by_executor_model[executor_model] = whole.merge(summary) if whole else summary
        # Its own bill says more of an option than all that its executor has shown.
        self._steps.pop(self._step_of_option.get(summary.option, ""), None)
        believed = tuple(map(_executor_model_belief, whole.statistics))
        if believed != self._executor_model_beliefs.get(executor_model):
            self._executor_model_beliefs[executor_model] = believed
            self.version += 1

    def forecast_steps(
        self, steps: Iterable[Step], executor_model_of: ExecutorModelOf
    ) -> tuple[Step, ...]:
        """Steps whose options are estimated anew; without any bill, as given.

        Who would do an option has to be the same at each call.
        """
        if not self.by_executor_model:
            return tuple(steps)
        return tuple([self.forecast_step(step, executor_model_of) for step in steps])

    def forecast_option(self, option: StepOption, executor_model: ExecutorModel) -> StepOption:
        """One option, estimated anew."""
        return _apply_ratios(option, self.ratios(self.belief_key(option, executor_model)))

    def forecast_step(self, step: Step, executor_model_of: ExecutorModelOf) -> Step:
        """One step, its options estimated anew."""
        known = self._steps.get(step.name)
        if known is None or known.declared is not step:
            about = [self.belief_key(option, executor_model_of(option)) for option in step.options]
            known = self._steps[step.name] = _StepForecast(step, about)
            self._step_of_option |= {option.name: step.name for option in step.options}
        if known.version != self.version:
            known.update(list(map(self.ratios, known.belief_keys)), self.version)
        return known.expected

    def belief_key(self, option: StepOption, executor_model: ExecutorModel) -> BeliefKey:
        """The key of the belief about an option; an option without bills of its own shares the key
        of its executor with its model."""
        own_option = option.name if (option.name, executor_model) in self.by_option else ""
        uses = tuple(map(bool, option.estimate.amounts[:UNCERTAIN_RESOURCES]))
        return BeliefKey(executor_model, option.spread, own_option, uses)

    def ratios(self, key: BeliefKey) -> Ratios | None:
        """The ratios believed under a key; None when nothing is known of it."""
        believed = self._executor_model_beliefs.get(key.executor_model)
        if believed is None or not key.spread:
            return None
        own = self.by_option.get((key.option, key.executor_model), NO_BILLS)
        known = self._ratios_by_belief.get(key)
        # By identity: a belief that has not changed is the very same object.
        if known is None or known[0] is not believed or known[1] is not own:
            known = self._ratios_by_belief[key] = believed, own, _ratios(key, believed, own)
        return known[2]


class BeliefKey(NamedTuple):
    """What a belief is about: all options of an executor model with that spread and those uses, or
    the one that is named."""

    executor_model: ExecutorModel
    spread: float
    option: str
    is_used: tuple[bool, ...]
    """For each uncertain resource, whether it was estimated to be used."""


def _ratios(of: BeliefKey, believed: _ExecutorModelBeliefs, own: BillSummary) -> Ratios | None:
    ratios = [
        _ratio(of.spread, belief, statistic) if belief and is_used else None
        for is_used, belief, statistic in zip(of.is_used, believed, own.statistics, strict=True)
    ]
    first = next(filter(None, ratios), None)
    means = tuple([ratio and ratio[0] for ratio in ratios])
    return None if first is None else Ratios(means, first[1])


class _StepForecast:
    """A declared step, and its latest forecast."""

    def __init__(self, declared: Step, about: list[BeliefKey]) -> None:
        self.declared = self.expected = declared
        self.belief_keys = about
        """Which beliefs are about its options."""
        self.ratios: list[Ratios | None] = [None] * len(about)
        self.version = -1

    def update(self, ratios: list[Ratios | None], changes: int) -> None:
        """Makes a new step of changed ratios; unchanged ones leave the very same object."""
        if ratios != self.ratios:
            options = tuple(map(_apply_ratios, self.declared.options, ratios))
            self.expected = with_columns(self.declared.with_options(options))
        self.ratios, self.version = ratios, changes


def _apply_ratios(option: StepOption, ratios: Ratios | None) -> StepOption:
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


def describe_drift(bills: Iterable[Bill]) -> str:
    """Describes for a person whose bills were above or below their estimates, and by how much.

    Of each bill, the first resource that was estimated counts. What charged nothing at all, as
    local work does, is not worth a word.
    """
    actual: Counter[ExecutorModel] = Counter()
    estimated: Counter[ExecutorModel] = Counter()
    for bill in bills:
        amounts = zip(bill.actual.amounts, bill.option.estimate.amounts, strict=True)
        spent, foreseen = next((pair for pair in amounts if pair[1]), (0, 0))
        actual[bill.executor_model] += spent
        estimated[bill.executor_model] += foreseen
    ratios = {each: spent / estimated[each] for each, spent in actual.items() if spent}
    return ", ".join(
        f"{executor_model} came to {ratio:.1f} times its estimates"
        for executor_model, ratio in ratios.items()
        if not 1 / DRIFT_RATIO_MIN < ratio < DRIFT_RATIO_MIN
    )


def _deviation(actual: int, estimate: int, spread: float) -> float | None:
    if not estimate or not spread:
        return None
    # An outlier of a thousand times its estimate must not drown all other bills.
    ratio = min(max(actual / estimate, 1 / RATIO_MAX), RATIO_MAX)
    sigma = _log_deviation(spread)
    return (log(ratio) + sigma * sigma / 2) / sigma


def _log_deviation(spread: float) -> float:
    """The deviation of the logarithm, for a deviation that is a share of the mean."""
    return sqrt(log1p(max(spread, SPREAD_MIN) ** 2))


def _executor_model_belief(statistic: SampleStatistics) -> Belief | None:
    """What is believed of an executor model's use of a resource; None where no bill shows any."""
    if not statistic.count:
        return None
    mean, variance = Belief().updated_by(statistic)
    return Belief(
        round(mean / MEAN_STEP) * MEAN_STEP,
        exp(round(log(variance) / LOG_VARIANCE_STEP) * LOG_VARIANCE_STEP),
    )


def _ratio(spread: float, believed: Belief, own: SampleStatistics) -> tuple[float, float]:
    """The mean and the spread that are believed of a resource whose executor was seen using it."""
    belief = believed.updated_by(own)
    sigma = _log_deviation(spread)
    variance = min(belief.variance * sigma * sigma, log1p(SPREAD_MAX * SPREAD_MAX))
    exponent = belief.mean * sigma - sigma * sigma / 2 + variance / 2
    edge = log(RATIO_MAX)
    mean = exp(min(max(exponent, -edge), edge))
    return mean, min(sqrt(expm1(variance)), SPREAD_MAX)


def _single_statistic(deviation: float | None) -> SampleStatistics:
    return NO_OBSERVATIONS if deviation is None else SampleStatistics(1.0, deviation)
