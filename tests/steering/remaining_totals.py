"""The totals of what remains of a plan, counted at once."""

from thrifty import Plan, Problem
from thrifty.steering.remaining import RemainingPlan, RemainingTotals


def remaining_totals(plan: Plan, problem: Problem) -> RemainingTotals:
    """In a run that could make another plan by this problem."""
    return RemainingPlan(
        plan.chosen,
        problem.steps,
        problem.done,
        max_steps=problem.max_steps + len(problem.done),
        diversity_penalty=problem.diversity_penalty,
        concurrency=problem.concurrency,
    ).totals()
