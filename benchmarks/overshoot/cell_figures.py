"""What many runs of one system in one cell come to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.overshoot.billing_provider import Charge
from benchmarks.overshoot.experiment import RunOutcome

TOLERANCE_NANO_USD = 1_000
"""A millionth of a dollar: what sums of floats may be off by."""


@dataclass(frozen=True, slots=True)
class CellFigures:
    """Means are over the runs; ratios are bill ÷ budget."""

    over: float
    """The share of runs whose bill is above the budget."""
    mean: float
    worst: float
    least: float
    useful: float
    """Answers a run that reached a caller whole."""
    cut_by_agent: float
    """Answers a run cut at the agent's own `max_tokens`."""
    cut_by_system: float
    """Answers a run that the system cut: at a lower cap, or by leaving the stream."""
    lost: float
    """Calls a run that were billed and whose answer reached nobody."""
    spent_on_cut: float
    """The share of the bills that paid answers cut by the system."""
    in_flight: float
    """How many calls were under way at once, over the time in which any was."""
    books: float
    """The share of runs in which the system's own figure is the bill."""


def summarize(outcomes: Sequence[RunOutcome]) -> CellFigures:
    ratios = [outcome.billed_nano_usd / outcome.cell.cap_nano_usd for outcome in outcomes]
    cut = [_cut_by_system(outcome) for outcome in outcomes]
    billed = sum(outcome.billed_nano_usd for outcome in outcomes)
    return CellFigures(
        over=fmean(ratio > 1 for ratio in ratios),
        mean=fmean(ratios),
        worst=max(ratios),
        least=min(ratios),
        useful=fmean(outcome.finishes.count("stop") for outcome in outcomes),
        cut_by_agent=fmean(
            sum(charge.was_cut for charge in outcome.charges) - len(by_system)
            for outcome, by_system in zip(outcomes, cut, strict=True)
        ),
        cut_by_system=fmean(map(len, cut)),
        lost=fmean(len(outcome.charges) - len(outcome.finishes) for outcome in outcomes),
        spent_on_cut=sum(charge.nano_usd for each in cut for charge in each) / billed,
        in_flight=fmean(_in_flight(outcome.charges) for outcome in outcomes),
        books=fmean(
            abs(outcome.billed_nano_usd - outcome.reported_nano_usd) <= TOLERANCE_NANO_USD
            for outcome in outcomes
        ),
    )


def _cut_by_system(outcome: RunOutcome) -> list[Charge]:
    own = outcome.cell.max_tokens
    return [charge for charge in outcome.charges if charge.was_cut and charge.written_tokens != own]


def _in_flight(charges: Iterable[Charge]) -> float:
    """The calls' times, summed, over the time in which there was at least one."""
    summed = covered = until = 0.0
    for charge in sorted(charges, key=lambda each: each.began_s):
        summed += charge.ended_s - charge.began_s
        covered += max(0.0, charge.ended_s - max(charge.began_s, until))
        until = max(until, charge.ended_s)
    return summed / covered
