"""Choosing with thrifty's planner: the most value that keeps to the budget at an accepted risk."""

from __future__ import annotations

from benchmarks.replay.bill_model import PLAN_STEP, BillModel
from benchmarks.replay.cases import ReplayCase
from benchmarks.replay.execution_log import ExecutedPlan
from benchmarks.replay.stepwise_execution import PlanRun
from thrifty.budget import Budget, Step
from thrifty.planning.engines import make_best_plan, make_plan
from thrifty.planning.held_plan import plan_while_held
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


def choose_while_held(run: PlanRun) -> ExecutedPlan | None:
    """What a run plans with what is left, where the ledger holds the budget in any case."""
    by_name, options = {}, []
    for row in run.case.candidates:
        tools = [work for work, _ in run.remaining_tools(row)]
        option = run.bills.remaining_option(row, tools)
        by_name[option.name] = row
        options.append(option)
    problem = Problem(
        steps=(Step(PLAN_STEP, tuple(options)),),
        left=Budget.of_limits((None, run.left_nano_usd, None, None)),
        residuals=run.bills.plan_estimates.residuals,
    )
    chosen = plan_while_held([problem], make_best_plan).plan.chosen
    return by_name[chosen[0].name] if chosen else None
