"""Plans a run: what its steps are worth, less fees where a model took its task apart.

There, who reads what is not written yet pays for it as well, at the price of the dearest reader: so
one problem is planned for each of these prices, and the best plan is taken.
"""

from collections.abc import Sequence
from dataclasses import replace

from thrifty.budget import Budget, LeftOut, Plan, Step
from thrifty.executors.model_access import ModelAccess
from thrifty.options.objective import with_fees, without_fees
from thrifty.options.reading_costs import TOO_DEAR, reading_tiers
from thrifty.planning.engines import EngineName, make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.without_limits import best_without_limits


def plan_run(
    problem: Problem, engine: EngineName, given: Budget | None, access: ModelAccess
) -> Plan:
    """The plan of a problem of a run. Values and estimates are told without fees and readings.

    Args:
        problem: what may be done.
        engine: who plans.
        given: the limits by which fees are counted, as of `fee_limits`.
        access: what models cost.
    """
    if given is None:
        return make_plan(problem, engine)
    plans = [
        _plan_tier(problem, steps, engine, given) for steps in reading_tiers(problem.steps, access)
    ]
    best = max(plans, key=lambda plan: (plan.status != "infeasible", plan.value))
    is_proven = all(plan.status != "feasible" for plan in plans)
    told = without_fees(best, problem.steps)
    return replace(
        told,
        status=told.status if is_proven or told.status == "infeasible" else "feasible",
        bound=told.bound + max(plan.bound for plan in plans) - best.bound,
        left_out=(*told.left_out, *_of_other_tiers(problem, told)),
        nodes=sum(plan.nodes for plan in plans),
        elapsed_us=sum(plan.elapsed_us for plan in plans),
    )


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


def _plan_tier(problem: Problem, steps: Sequence[Step], engine: EngineName, given: Budget) -> Plan:
    """The plan in which nobody who reads is dearer than one price."""
    priced, too_little = with_fees(steps, given)
    plan = make_plan(replace(problem, steps=priced), engine)
    return replace(plan, left_out=(*plan.left_out, *too_little))


def _of_other_tiers(problem: Problem, plan: Plan) -> list[LeftOut]:
    """The options that read at a higher price than the plan's."""
    told = {each.option for each in plan.left_out} | {option.name for option in plan.chosen}
    return [
        LeftOut(option.name, step.name, TOO_DEAR)
        for step in problem.steps
        for option in step.options
        if option.name not in told
    ]
