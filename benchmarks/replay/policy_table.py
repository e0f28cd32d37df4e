"""The policies by their names, each asked every case at every budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from random import Random

from benchmarks.replay.bill_model import BillModel
from benchmarks.replay.cases import ReplayCase
from benchmarks.replay.execution_log import ExecutedPlan
from benchmarks.replay.planner_choice import choose_by_planner, choose_while_held
from benchmarks.replay.replay_result import ReplayResult
from benchmarks.replay.stepwise_execution import (
    choose_always,
    choose_if_sure,
    choose_likeliest,
    execute_stepwise,
)
from benchmarks.replay.whole_plan_policies import (
    best_by_forecast,
    cheapest_candidate,
    largest_bill,
    mean_bill,
    run_cheapest,
    run_oracle,
    run_whole_plan,
)
from thrifty.planning.problem import RISK_DEFAULT

FOLDS = 10
SURE_RISK = 0.01
"""The risk of those that are to keep to a budget without being cut."""
THRIFTY_POLICY = "planned while held"
CHEAPEST_POLICY = "cheapest"
HELD_CHEAPEST_POLICY = "cheapest, held"

ReplayPolicy = Callable[[ReplayCase, int], ReplayResult]
BillsBefore = Callable[[ReplayCase], BillModel]


def all_policies(bills: BillModel) -> Mapping[str, ReplayPolicy]:
    """The policies of those who know that much."""
    return {
        "oracle": run_oracle,
        CHEAPEST_POLICY: run_cheapest,
        "mean bill": best_by_forecast(mean_bill),
        "largest bill": best_by_forecast(largest_bill),
        **{
            f"planned, risk {risk:g}": _planner_policy(bills, risk)
            for risk in (RISK_DEFAULT, SURE_RISK)
        },
        "planned and held": _stepwise_planner_policy(bills),
        HELD_CHEAPEST_POLICY: lambda c, nano: execute_stepwise(
            choose_always(cheapest_candidate(c)), bills, c, nano
        ),
        "begun if sure": partial(execute_stepwise, choose_if_sure(SURE_RISK), bills, cuts=False),
        "likeliest, held": partial(execute_stepwise, choose_likeliest, bills),
        THRIFTY_POLICY: partial(execute_stepwise, choose_while_held, bills),
    }


def replay_cases(
    cases: Sequence[ReplayCase], bills_before_case: BillsBefore
) -> Iterator[Mapping[str, list[ReplayResult]]]:
    """Of each case, the results of each policy at each of its budgets."""
    for case in cases:
        yield {
            name: [policy(case, budget) for budget in case.budgets_nano_usd]
            for name, policy in all_policies(bills_before_case(case)).items()
        }


def bills_before(rows: Sequence[ExecutedPlan]) -> BillsBefore:
    """What is known before each case.

    Inputs are dealt into folds, and of those in the fold of a case nothing is known, in whatever
    task: a bill of the same input elsewhere would tell how large it is.
    """
    fold_of = _assign_folds(rows)

    @cache
    def without(fold: int) -> BillModel:
        return BillModel([row for row in rows if fold_of[row.sample] != fold])

    return lambda case: without(fold_of[case.sample])


def _assign_folds(rows: Sequence[ExecutedPlan]) -> Mapping[int, int]:
    samples = sorted({row.sample for row in rows})
    Random(0).shuffle(samples)
    return {sample: place % FOLDS for place, sample in enumerate(samples)}


def _planner_policy(known: BillModel, risk: float) -> ReplayPolicy:
    return lambda case, nano: run_whole_plan(choose_by_planner(known, case, nano, risk), nano)


def _stepwise_planner_policy(known: BillModel) -> ReplayPolicy:
    def carry_out(case: ReplayCase, nano: int) -> ReplayResult:
        return execute_stepwise(
            choose_always(choose_by_planner(known, case, nano, RISK_DEFAULT)), known, case, nano
        )

    return carry_out
