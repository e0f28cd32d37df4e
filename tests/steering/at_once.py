"""What a run updates step by step, computed at once."""

from collections.abc import Iterable

from thrifty import Plan, Problem, Step
from thrifty.steering.forecast import BillSummary, ExecutorModel, ExecutorModelOf, Forecaster
from thrifty.steering.remaining import RemainingPlan, RemainingTotals


def forecast_steps(
    steps: Iterable[Step], executor_model_of: ExecutorModelOf, summaries: Iterable[BillSummary]
) -> tuple[Step, ...]:
    """The steps with the estimates and spreads that the summaries suggest."""
    return Forecaster(summaries).forecast_steps(steps, executor_model_of)


def remaining_totals(plan: Plan, problem: Problem) -> RemainingTotals:
    """What remains of a plan, in a run that could make another plan by this problem."""
    return RemainingPlan(
        plan.chosen,
        problem.steps,
        problem.done,
        max_steps=problem.max_steps + len(problem.done),
        diversity_penalty=problem.diversity_penalty,
        forecaster=Forecaster(()),
        executor_model_of=lambda option: ExecutorModel(option.executor),
        concurrency=problem.concurrency,
    ).totals()
