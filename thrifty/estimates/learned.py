"""What a run learns from the bills of earlier runs: pure, bounded, and plain data.

Bills whose option is estimated otherwise today are left out: who changed the estimate knew
better. Of the others each option and each executor counts for no more than so many, so that
what a run sees for itself still moves its forecast.

For the risk bound, bills are split: the older half of each option's fits a forecast, and how far
the newer half missed it is what plans are held against ("split conformal": V. Vovk, A. Gammerman,
G. Shafer, "Algorithmic Learning in a Random World" (2005); J. Lei et al., "Distribution-free
predictive inference for regression" (2018)).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thrifty.budget import Spend, StepOption
from thrifty.budget.plain_data import PlainData
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import BilledOption, BillHistory
from thrifty.estimates.learned_odds import NO_ODDS, LearnedOdds, learn_odds
from thrifty.planning.risk import SAMPLES_MIN
from thrifty.steering.belief import SampleStatistics
from thrifty.steering.forecast import (
    UNCERTAIN_RESOURCES,
    Bill,
    BillSummary,
    ExecutorModelOf,
    Forecaster,
    summarise_bills,
)

OPTION_WEIGHT = 12.0
"""The most bills that an option counts for,"""
EXECUTOR_MODEL_WEIGHT = 24.0
"""and all options of one executor and model together."""
RESIDUALS_MAX = 200
RESIDUAL_MAX = 1_000.0


@dataclass(frozen=True, slots=True)
class LearnedEstimates(PlainData[dict[str, Any]]):
    """What earlier bills say of estimates and values, summed up."""

    PLAIN_NAME = "learned"

    summaries: tuple[BillSummary, ...] = ()
    odds: LearnedOdds = NO_ODDS
    """What ratings and verdicts say."""
    residuals: tuple[float, ...] = ()
    """How far forecasts were missed, in their spreads; none below the least number that counts."""
    bill_count: int = 0
    """How many bills all this comes from."""


NOTHING_LEARNED = LearnedEstimates()


def learn_from_history(
    history: BillHistory, options: Iterable[StepOption], executor_model_of: ExecutorModelOf
) -> LearnedEstimates:
    """What a history says of the options of a recipe.

    Args:
        history: every bill that is known.
        options: as the recipe declares them today.
        executor_model_of: who would do an option.
    """
    known = {BilledOption(o.name, executor_model_of(o)): o for o in options}
    billed = {
        work: current
        for work, records in history.records.items()
        if work in known and (current := _current_records(records, known[work]))
    }
    odds = learn_odds(history)
    if not billed:
        return LearnedEstimates(odds=odds)
    every = list(_bills(billed, known))
    return LearnedEstimates(
        summaries=_cap_weights(summarise_bills(every)),
        odds=odds,
        residuals=_forecast_residuals(billed, known),
        bill_count=len(every),
    )


def _current_records(records: Sequence[BillRecord], option: StepOption) -> tuple[BillRecord, ...]:
    """The records of the option as it is declared today."""
    declared = option.spread, option.estimate
    return tuple(record for record in records if (record.spread, record.estimate) == declared)


def _bills(
    billed: Mapping[BilledOption, Sequence[BillRecord]], known: Mapping[BilledOption, StepOption]
) -> Iterator[Bill]:
    for work, records in billed.items():
        for record in records:
            yield Bill(known[work].as_sent(record.expected), work.executor_model, record.actual)


def _cap_weights(summaries: Iterable[BillSummary]) -> tuple[BillSummary, ...]:
    """Caps the weights, so that no option and no executor model counts for more than its part."""
    capped = [
        summary._replace(statistics=tuple(s.cap_weight(OPTION_WEIGHT) for s in summary.statistics))
        for summary in summaries
    ]
    wholes = Forecaster(capped).by_executor_model

    def cap_share(statistic: SampleStatistics, whole: SampleStatistics) -> SampleStatistics:
        share = min(1.0, EXECUTOR_MODEL_WEIGHT / (whole.count or 1.0))
        return statistic.cap_weight(statistic.count * share)

    return tuple(
        s._replace(
            statistics=tuple(map(cap_share, s.statistics, wholes[s.executor_model].statistics))
        )
        for s in capped
    )


def _forecast_residuals(
    billed: Mapping[BilledOption, Sequence[BillRecord]], known: Mapping[BilledOption, StepOption]
) -> tuple[float, ...]:
    """By how many of its spreads each newer bill missed what the older ones had foreseen."""
    older = {work: records[: len(records) // 2] for work, records in billed.items()}
    forecaster = Forecaster(_cap_weights(summarise_bills(_bills(older, known))))
    residuals: list[float] = []
    for work, records in billed.items():
        for record in records[len(records) // 2 :]:
            sent = known[work].as_sent(record.expected)
            forecast = forecaster.forecast_option(sent, work.executor_model)
            if (residual := _residual(forecast, record.actual)) is not None:
                residuals.append(residual)
    return tuple(residuals[-RESIDUALS_MAX:]) if len(residuals) >= SAMPLES_MIN else ()


def _residual(forecast: StepOption, actual: Spend) -> float | None:
    """None where nothing was billed, as by local work, or nothing was uncertain."""
    pairs = zip(forecast.estimate.amounts[:UNCERTAIN_RESOURCES], actual.amounts, strict=False)
    estimate, amount = next((pair for pair in pairs if pair[0]), (0, 0))
    deviation = forecast.spread * estimate
    if not amount or not deviation:
        return None
    return min((amount - estimate) / deviation, RESIDUAL_MAX)  # a tiny spread makes any miss huge
