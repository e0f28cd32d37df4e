"""Plans a run: what its steps are worth, less fees where a model took its task apart.

There, who reads what is not written yet pays for it as well, at the price of the dearest reader. So
there is one problem for each of these prices. And there is one with the share of a direct answer
kept back, and one without. One search takes the best plan of all these problems.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from thrifty.budget import Budget, LeftOut, Plan
from thrifty.executors.model_access import ModelAccess
from thrifty.options.availability import lost_steps
from thrifty.options.objective import with_fees, without_fees
from thrifty.options.reading_costs import TOO_DEAR, reading_tiers
from thrifty.options.stand_in import with_and_without_share
from thrifty.planning.engines import EngineName, make_best_plan
from thrifty.planning.held_plan import plan_while_held
from thrifty.planning.problem import Problem
from thrifty.planning.without_limits import best_without_limits


def plan_run(
    problem: Problem,
    engine: EngineName,
    given: Budget | None,
    access: ModelAccess,
    *,
    is_held: bool = False,
) -> Plan:
    """The plan of a problem of a run. Values and estimates are told without fees and readings.

    Args:
        problem: what may be done.
        engine: who plans.
        given: the limits by which fees are counted, as of `fee_limits`.
        access: what models cost.
        is_held: whether something is to be done even where nothing fits with its margin.
    """
    variants: list[tuple[Problem, tuple[LeftOut, ...]]] = []
    for priced, too_little in _priced_problems(problem, given, access):
        variants += [(each, too_little) for each in with_and_without_share(priced)]
    problems = [each for each, _ in variants]
    if is_held:
        plan, of = plan_while_held(problems, lambda given: make_best_plan(given, engine))
    else:
        plan, of = make_best_plan(problems, engine)
    too_little = next(left_out for each, left_out in variants if each is of)
    told = without_fees(plan, problem.steps)
    left_out = (*told.left_out, *too_little)
    return replace(told, left_out=(*left_out, *_of_other_prices(problem, told, left_out)))


def _priced_problems(
    problem: Problem, given: Budget | None, access: ModelAccess
) -> Iterator[tuple[Problem, tuple[LeftOut, ...]]]:
    """The problem at each price of reading, and what is not worth its fee there."""
    if given is None:
        yield problem, ()
        return
    for tier in reading_tiers(problem.steps, access):
        steps, too_little = with_fees(tier, given)
        lost = (*problem.lost, *lost_steps(problem.steps, steps))
        yield replace(problem, steps=steps, lost=lost), too_little


def best_of_run(problem: Problem, given: Budget | None) -> float | None:
    """What the plan of a run would be worth if no resource were limited. None if not proven.

    It is chosen as the run chooses, so a step that is not worth its trouble is not in it, either.

    Args:
        problem: what may be done, with answers of any length.
        given: as for `plan_run`.
    """
    if given is None:
        return best_without_limits(problem)
    return best_without_limits(problem, with_fees(problem.steps, Budget())[0])


def _of_other_prices(problem: Problem, plan: Plan, left_out: Iterable[LeftOut]) -> list[LeftOut]:
    """The options that read at a higher price than the plan's."""
    told = {each.option for each in left_out} | {option.name for option in plan.chosen}
    return [
        LeftOut(option.name, step.name, TOO_DEAR)
        for step in problem.steps
        for option in step.options
        if option.name not in told
    ]
