"""What more budget would buy: the answer to a person who is asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thrifty.budget import StepOption, total
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem, value_of

DOUBLINGS_MAX = 6


@dataclass(frozen=True, slots=True)
class Purchase:
    """A raise, and what it is good for."""

    more: dict[str, int]
    """How much more of each resource, in its unit."""
    value: float
    """What the best plan gains by it."""
    options: tuple[str, ...]
    """What could be done then that cannot be done now."""


def purchase(problem: Problem, wanted: Sequence[StepOption], engine: str) -> Purchase:
    """The raise that makes room for what is wanted, with a margin where the estimates waver.

    It starts from what the estimates lack. A plan that leaves a margin for risk may need more
    than that: the raise is doubled until the best plan is worth what is wanted.

    Args:
        problem: what is left to do, and what is left to spend.
        wanted: the rest of the plan that no longer fits.
        engine: which planner.
    """
    missing = problem.left.exceeded_by(total(option.estimate for option in wanted))
    now = make_plan(problem, engine)
    for _ in range(DOUBLINGS_MAX):
        then = make_plan(replace(problem, left=problem.left.raised_by(missing)), engine)
        if then.value >= value_of(problem, wanted):
            break
        missing = {name: 2 * amount for name, amount in missing.items()}
    have = {option.name for option in now.chosen}
    gained = tuple(option.name for option in then.chosen if option.name not in have)
    return Purchase(missing, then.value - now.value, gained)
