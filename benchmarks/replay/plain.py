"""Choosers that look at the bills of whole plans, and carry out what they chose to the end."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from benchmarks.replay.cases import Case
from benchmarks.replay.log import Executed
from benchmarks.replay.result import Result

Forecast = Callable[[tuple[Executed, ...]], float]
"""What a plan is taken to cost, from its executions on other inputs."""


def mean_bill(earlier: tuple[Executed, ...]) -> float:
    return fmean(row.bill_nano_usd for row in earlier)


def largest_bill(earlier: tuple[Executed, ...]) -> float:
    return max(row.bill_nano_usd for row in earlier)


def oracle(case: Case, budget_nano_usd: int) -> Result:
    """The best that anybody could have chosen, who knew bills and scores beforehand."""
    fitting = [row for row in case.candidates if row.bill_nano_usd <= budget_nano_usd]
    return whole(max(fitting, key=lambda row: row.score, default=None), budget_nano_usd)


def cheapest(case: Case, budget_nano_usd: int) -> Result:
    """What was cheapest on average, whether it should fit or not."""
    return whole(cheapest_of(case), budget_nano_usd)


def cheapest_of(case: Case) -> Executed:
    """The candidate whose earlier bills are the lowest on average."""
    means = map(mean_bill, case.earlier)
    return min(zip(means, case.candidates, strict=True), key=lambda pair: pair[0])[1]


def best_by(forecast: Forecast) -> Callable[[Case, int], Result]:
    """The best score so far among the plans whose forecast fits; nothing when none does."""

    def choose(case: Case, budget_nano_usd: int) -> Result:
        fitting = [
            (fmean(row.score for row in earlier), row)
            for row, earlier in zip(case.candidates, case.earlier, strict=True)
            if forecast(earlier) <= budget_nano_usd
        ]
        best = max(fitting, key=lambda pair: pair[0], default=(0.0, None))
        return whole(best[1], budget_nano_usd)

    return choose


def whole(chosen: Executed | None, budget_nano_usd: int) -> Result:
    """A plan that nobody watches: paid in full, worth nothing when that is too much."""
    if chosen is None:
        return Result()
    is_over = chosen.bill_nano_usd > budget_nano_usd
    return Result(0.0 if is_over else chosen.score, chosen.bill_nano_usd, is_over)
