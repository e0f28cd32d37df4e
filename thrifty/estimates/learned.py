"""What a run takes along from the bills of earlier ones: pure, bounded, and plain data.

Bills whose option is estimated otherwise today are left out: who changed the estimate knew
better. Of the others each option and each executor counts for no more than so many, so that
what a run sees for itself still moves its forecast.

For the risk bound, bills are split: the older half of each option's fits a forecast, and how far
the newer half missed it is what plans are held against ("split conformal": V. Vovk, A. Gammerman,
G. Shafer, "Algorithmic Learning in a Random World" (2005); J. Lei et al., "Distribution-free
predictive inference for regression" (2018)).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from typing_extensions import TypedDict

from thrifty.budget import Spend, Step, StepOption
from thrifty.budget.plain_data import PlainData
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import BilledOption, History
from thrifty.planning.forecast import UNCERTAIN, Bill, Doer, DoerOf, Seen, Tally, tallied
from thrifty.planning.risk import SAMPLES_MIN

OPTION_WEIGHT = 12.0
"""The most bills that an option counts for,"""
DOER_WEIGHT = 24.0
"""and all options of one executor and model together."""
VALUE_WEIGHT = 4.0
"""The catalog's value counts as much as so many scores."""
SURPRISES_MAX = 200
SURPRISE_MAX = 1_000.0


class LearnedState(TypedDict):
    """A `Learned` as plain data."""

    tallies: list[dict[str, Any]]
    values: dict[str, list[float]]
    surprises: list[float]
    bills: int


@dataclass(frozen=True, slots=True)
class Learned(PlainData[LearnedState]):
    """What earlier bills say, added up."""

    tallies: tuple[Tally, ...] = ()
    values: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By the name of the option, how many scores there are and their mean."""
    surprises: tuple[float, ...] = ()
    """How far forecasts were missed, in their spreads; none below the least number that counts."""
    bills: int = 0
    """How many bills all this comes from."""

    def steps(self, steps: Iterable[Step]) -> tuple[Step, ...]:
        """Steps with the values that the scores suggest; without any, as given."""
        if not self.values:
            return tuple(steps)
        return tuple(replace(s, options=tuple(map(self.valued, s.options))) for s in steps)

    def valued(self, option: StepOption) -> StepOption:
        """An option with the value that its scores suggest; without any, as given."""
        if option.name not in self.values:
            return option
        count, mean = self.values[option.name]
        value = (VALUE_WEIGHT * option.value + count * mean) / (VALUE_WEIGHT + count)
        return replace(option, value=value)


NOTHING = Learned()


def learn(history: History, options: Iterable[StepOption], doer_of: DoerOf) -> Learned:
    """What a history says of the options of a catalog.

    Args:
        history: every bill that is known.
        options: as the catalog estimates them today, priced.
        doer_of: who would do an option.
    """
    known: dict[BilledOption, StepOption] = {BilledOption(o.name, doer_of(o)): o for o in options}
    billed = {
        work: _of_today(records, known[work])
        for work, records in history.records.items()
        if work in known
    }
    billed = {work: records for work, records in billed.items() if records}
    if not billed:
        return NOTHING
    every = [
        bill for work, records in billed.items() for bill in _bills(known[work], work, records)
    ]
    return Learned(
        tallies=_weighed(tallied(every)),
        values=dict(_scored(billed)),
        surprises=_surprises(billed, known),
        bills=len(every),
    )


def _of_today(records: Sequence[BillRecord], option: StepOption) -> tuple[BillRecord, ...]:
    """The records that were estimated as the option is today; prices may have changed."""
    return tuple(
        record
        for record in records
        if record.spread == option.spread
        and replace(record.estimate, cost_nano_usd=option.estimate.cost_nano_usd) == option.estimate
    )


def _bills(option: StepOption, work: BilledOption, records: Iterable[BillRecord]) -> Iterator[Bill]:
    for record in records:
        yield Bill(replace(option, estimate=record.estimate), work.doer, record.actual)


def _weighed(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    """The tallies with no option and no executor counting for more than its weight."""
    capped = [
        tally._replace(moments=tuple(m.weighing_at_most(OPTION_WEIGHT) for m in tally.moments))
        for tally in tallies
    ]
    counts: dict[tuple[Doer, int], float] = {}
    for tally in capped:
        for place, moments in enumerate(tally.moments):
            key = tally.doer, place
            counts[key] = counts.get(key, 0.0) + moments.count
    return tuple(
        tally._replace(
            moments=tuple(
                moments.weighing_at_most(moments.count * min(1.0, _share(counts, tally, place)))
                for place, moments in enumerate(tally.moments)
            )
        )
        for tally in capped
    )


def _share(counts: Mapping[tuple[Doer, int], float], tally: Tally, place: int) -> float:
    return DOER_WEIGHT / (counts[tally.doer, place] or 1.0)


def _scored(
    billed: Mapping[BilledOption, Sequence[BillRecord]],
) -> Iterator[tuple[str, tuple[float, float]]]:
    for work, records in billed.items():
        if scores := [record.score for record in records if record.score is not None]:
            yield work.option, (float(len(scores)), sum(scores) / len(scores))


def _surprises(
    billed: Mapping[BilledOption, Sequence[BillRecord]], known: Mapping[BilledOption, StepOption]
) -> tuple[float, ...]:
    """By how many of its spreads each newer bill missed what the older ones had foreseen."""
    older = [
        bill
        for work, records in billed.items()
        for bill in _bills(known[work], work, records[: len(records) // 2])
    ]
    seen = Seen(_weighed(tallied(older)))
    found: list[float] = []
    for work, records in billed.items():
        foreseen = seen.forecast(known[work], work.doer)
        newer = (record.actual for record in records[len(records) // 2 :])
        missed = (_surprise(foreseen, actual) for actual in newer)
        found += [surprise for surprise in missed if surprise is not None]
    return tuple(found[-SURPRISES_MAX:]) if len(found) >= SAMPLES_MIN else ()


def _surprise(foreseen: StepOption, actual: Spend) -> float | None:
    """None where nothing was billed, as by local work, or nothing was uncertain."""
    pairs = zip(foreseen.estimate.amounts[:UNCERTAIN], actual.amounts, strict=False)
    estimate, amount = next((pair for pair in pairs if pair[0]), (0, 0))
    deviation = foreseen.spread * estimate
    if not amount or not deviation:
        return None
    return min((amount - estimate) / deviation, SURPRISE_MAX)
