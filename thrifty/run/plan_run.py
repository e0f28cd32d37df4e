"""Plans a run: by what its steps are worth, less fees where a model took its task apart."""

from dataclasses import replace

from thrifty.budget import Budget, Plan
from thrifty.options.objective import with_fees, without_fees
from thrifty.planning.engines import EngineName, make_plan
from thrifty.planning.problem import Problem
from thrifty.run.facts import Run


def plan_run(problem: Problem, engine: EngineName, run: Run) -> Plan:
    """The plan of a problem of a run. Its values are told as they are, without fees.

    Args:
        problem: what may be done.
        engine: who plans.
        run: whose problem it is. The steps of a recipe are worth what the recipe says.
    """
    if run["decomposition"] is None:
        return make_plan(problem, engine)
    # By the limits that it was given, so that a fee stays what it is while they are used up.
    steps, left_out = with_fees(problem.steps, Budget.from_state(run["budget"]))
    plan = without_fees(make_plan(replace(problem, steps=steps), engine), problem.steps)
    return replace(plan, left_out=(*plan.left_out, *left_out))
