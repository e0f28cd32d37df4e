"""Choosers that look at the bills of whole plans, and carry out what they chose to the end."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from benchmarks.replay.cases import ReplayCase
from benchmarks.replay.execution_log import ExecutedPlan
from benchmarks.replay.replay_result import ReplayResult

Forecast = Callable[[tuple[ExecutedPlan, ...]], float]
"""What a plan is taken to cost, from its executions on other inputs."""


def mean_bill(earlier: tuple[ExecutedPlan, ...]) -> float:
    return fmean(row.bill_nano_usd for row in earlier)


def largest_bill(earlier: tuple[ExecutedPlan, ...]) -> float:
    return max(row.bill_nano_usd for row in earlier)


def run_oracle(case: ReplayCase, budget_nano_usd: int) -> ReplayResult:
    """The best that anybody could have chosen, who knew bills and scores beforehand."""
    fitting = [row for row in case.candidates if row.bill_nano_usd <= budget_nano_usd]
    return run_whole_plan(max(fitting, key=lambda row: row.score, default=None), budget_nano_usd)


def run_cheapest(case: ReplayCase, budget_nano_usd: int) -> ReplayResult:
    """What was cheapest on average, whether it should fit or not."""
    return run_whole_plan(cheapest_candidate(case), budget_nano_usd)


def cheapest_candidate(case: ReplayCase) -> ExecutedPlan:
    """The candidate whose earlier bills are the lowest on average."""
    means = map(mean_bill, case.earlier)
    return min(zip(means, case.candidates, strict=True), key=lambda pair: pair[0])[1]


def best_by_forecast(forecast: Forecast) -> Callable[[ReplayCase, int], ReplayResult]:
    """The best score so far among the plans whose forecast fits; nothing when none does."""

    def choose(case: ReplayCase, budget_nano_usd: int) -> ReplayResult:
        fitting = [
            (fmean(row.score for row in earlier), row)
            for row, earlier in zip(case.candidates, case.earlier, strict=True)
            if forecast(earlier) <= budget_nano_usd
        ]
        best = max(fitting, key=lambda pair: pair[0], default=(0.0, None))
        return run_whole_plan(best[1], budget_nano_usd)

    return choose


def run_whole_plan(chosen: ExecutedPlan | None, budget_nano_usd: int) -> ReplayResult:
    """A plan that nobody watches: paid in full, worth nothing when that is too much."""
    if chosen is None:
        return ReplayResult()
    is_over = chosen.bill_nano_usd > budget_nano_usd
    return ReplayResult(0.0 if is_over else chosen.score, chosen.bill_nano_usd, is_over)
