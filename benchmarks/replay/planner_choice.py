"""Choosing with thrifty's planner: the most value that keeps to the budget at an accepted risk."""

from __future__ import annotations

from benchmarks.replay.bill_model import PLAN_STEP, BillModel
from benchmarks.replay.cases import ReplayCase
from benchmarks.replay.execution_log import ExecutedPlan
from thrifty.budget import Budget, Step
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem


def choose_by_planner(
    bills: BillModel, case: ReplayCase, budget_nano_usd: int, risk: float
) -> ExecutedPlan | None:
    """What the planner chooses; None when nothing fits at that risk."""
    by_name = {bills.plan_option(row).name: row for row in case.candidates}
    problem = Problem(
        steps=(Step(PLAN_STEP, tuple(bills.plan_option(row) for row in case.candidates)),),
        left=Budget.of_limits((None, budget_nano_usd, None, None)),
        risk=risk,
        residuals=bills.plan_estimates.residuals,
    )
    chosen = make_plan(problem).chosen
    return by_name[chosen[0].name] if chosen else None
