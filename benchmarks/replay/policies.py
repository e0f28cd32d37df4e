"""The policies by their names, each asked every case at every budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from random import Random

from benchmarks.replay.cases import Case
from benchmarks.replay.held import begun_if_sure, held, likeliest, only
from benchmarks.replay.known import Known
from benchmarks.replay.log import Executed
from benchmarks.replay.plain import (
    best_by,
    cheapest,
    cheapest_of,
    largest_bill,
    mean_bill,
    oracle,
    whole,
)
from benchmarks.replay.planned import planned
from benchmarks.replay.result import Result
from thrifty.planning.problem import RISK_DEFAULT

FOLDS = 10
SURE = 0.01
"""The risk of those that are to keep to a budget without being cut."""
THRIFTY = "likeliest, held"
CHEAPEST = "cheapest"

Policy = Callable[[Case, int], Result]
Past = Callable[[Case], Known]


def policies(known: Known) -> Mapping[str, Policy]:
    """The policies of those who know that much."""
    return {
        "oracle": oracle,
        CHEAPEST: cheapest,
        "mean bill": best_by(mean_bill),
        "largest bill": best_by(largest_bill),
        **{f"planned, risk {risk:g}": _planned(known, risk) for risk in (RISK_DEFAULT, SURE)},
        "planned and held": _planned_and_held(known),
        "cheapest, held": lambda c, nano: held(only(cheapest_of(c)), known, c, nano),
        "begun if sure": partial(held, begun_if_sure(SURE), known, cuts=False),
        THRIFTY: partial(held, likeliest, known),
    }


def replay(cases: Sequence[Case], past: Past) -> Iterator[Mapping[str, list[Result]]]:
    """Of each case, the results of each policy at each of its budgets."""
    for case in cases:
        yield {
            name: [policy(case, budget) for budget in case.budgets_nano_usd]
            for name, policy in policies(past(case)).items()
        }


def past_of(rows: Sequence[Executed]) -> Past:
    """What is known before each case.

    Inputs are dealt into folds, and of those in the fold of a case nothing is known, in whatever
    task: a bill of the same input elsewhere would tell how large it is.
    """
    fold_of = _folds(rows)

    @cache
    def without(fold: int) -> Known:
        return Known([row for row in rows if fold_of[row.sample] != fold])

    return lambda case: without(fold_of[case.sample])


def _folds(rows: Sequence[Executed]) -> Mapping[int, int]:
    samples = sorted({row.sample for row in rows})
    Random(0).shuffle(samples)
    return {sample: place % FOLDS for place, sample in enumerate(samples)}


def _planned(known: Known, risk: float) -> Policy:
    return lambda case, nano: whole(planned(known, case, nano, risk), nano)


def _planned_and_held(known: Known) -> Policy:
    def carry_out(case: Case, nano: int) -> Result:
        return held(only(planned(known, case, nano, RISK_DEFAULT)), known, case, nano)

    return carry_out
