"""By how much the budget must be raised for the rest of a plan, for the person who is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thrifty.budget import StepOption
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem, plan_value

DOUBLINGS_MAX = 6


@dataclass(frozen=True, slots=True)
class BudgetRaise:
    """A raise of limits, and what the best plan gains by it."""

    increase: dict[str, int]
    """How much more of each resource, in its unit."""
    gain: float
    """What the best plan gains by it."""
    options: tuple[str, ...]
    """What could be done then that cannot be done now."""


def find_budget_raise(
    problem: Problem, wanted: Sequence[StepOption], missing: dict[str, int], engine: str
) -> BudgetRaise:
    """Finds the raise that makes room for what is wanted, with a margin where estimates spread.

    It starts from what the estimates lack. A plan that leaves a margin for risk may need more
    than that: the raise is doubled until the best plan is worth what is wanted.

    Args:
        problem: what is left to do, and what is left to spend.
        wanted: the rest of the plan that no longer fits.
        missing: what its estimates lack, by resource.
        engine: which planner.
    """
    now = make_plan(problem, engine)
    for _ in range(DOUBLINGS_MAX):
        then = make_plan(replace(problem, left=problem.left.raised_by(missing)), engine)
        if then.value >= plan_value(problem, wanted):
            break
        # All are doubled, as nothing tells which limit is still too low.
        missing = {name: 2 * amount for name, amount in missing.items()}
    have = {option.name for option in now.chosen}
    gained = tuple(option.name for option in then.chosen if option.name not in have)
    return BudgetRaise(missing, then.value - now.value, gained)
