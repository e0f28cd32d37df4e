"""What a plan would hold if nothing were limited, to which what a plan is worth is compared."""

from collections.abc import Sequence
from dataclasses import replace

from thrifty.budget.limits import Budget
from thrifty.budget.option import StepOption
from thrifty.budget.spend import Spend
from thrifty.budget.step import Step
from thrifty.planning.best_case import find_best_case
from thrifty.planning.problem import Problem, plan_value
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.solve_result import SolveLimits

VALUE_DIGITS = 6
NODES_MAX = 300_000
"""Without limits a plan is soon proven. Half a second is the most that this takes."""


def best_without_limits(problem: Problem, objective: Sequence[Step] = ()) -> float | None:
    """What the best plan would be worth if no resource were limited.

    Steps, options and the number of steps stay as they are.

    Args:
        problem: with the values that are told.
        objective: the same steps with the values that a plan is chosen by, where those are others.

    Returns:
        None where there is no plan at all, or the best one was not proven.
    """
    unlimited = replace(
        problem,
        steps=tuple(objective or problem.steps),
        left=Budget(),
        spent=Spend(),
        kept_back=Spend(),
    )
    best = find_best_case((unlimited,), solve_exactly, SolveLimits(NODES_MAX))
    if not best.is_plan or not best.is_proven:
        return None
    names = {item.name for item in best.found.items}
    # As a plan tells its value: in millionths.
    return round(plan_value(problem, _options(problem, names)), VALUE_DIGITS)


def _options(problem: Problem, names: set[str]) -> list[StepOption]:
    return [option for step in problem.steps for option in step.options if option.name in names]
