"""From a problem to a plan: build the model, solve it, explain it; the solve functions by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from thrifty.budget.clock import NANO_PER_MS, NANO_PER_US
from thrifty.budget.lazy import LazySequence
from thrifty.budget.plan import Plan, PlanStatus
from thrifty.planning.best_case import BestCase, SolveFunction, find_best_case
from thrifty.planning.no_plan import describe_empty_plan, describe_no_plan
from thrifty.planning.problem import Problem
from thrifty.planning.reasons import LeftOutReasons
from thrifty.planning.solver.auto import solve_automatically
from thrifty.planning.solver.beam_search import solve_by_beam_search
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.knapsack import MICRO
from thrifty.planning.solver.milp import solve_by_milp
from thrifty.planning.solver.solve_result import SolveLimits

SOLVE_FUNCTIONS: Mapping[str, SolveFunction] = {
    "auto": solve_automatically,
    "exact": solve_exactly,
    "milp": lambda model, limits: solve_by_milp(model, (), limits),
    "beam": solve_by_beam_search,
}


class BestPlan(NamedTuple):
    """The best plan of several problems."""

    plan: Plan
    problem: Problem
    """The one that it is a plan of. Where none has a plan, the first."""


def make_plan_with(
    engine: str, problems: Sequence[Problem], deadline_ms: int, clock_ns: Callable[[], int]
) -> BestPlan:
    """The plan that one engine makes; see `thrifty.planning.engines.make_best_plan`."""
    start = clock_ns()  # before the model is built: that is planning, too
    limits = SolveLimits(deadline_ns=start + deadline_ms * NANO_PER_MS, clock_ns=clock_ns)
    best = find_best_case(problems, SOLVE_FUNCTIONS[engine], limits)
    found, model, problem = best.found, best.found.model, best.problem
    options = {option.name: option for step in problem.steps for option in step.options}
    chosen = tuple([options[item.name] for item in model.order_items(found.items)])
    status, note = _plan_status(problem, best)
    if not chosen and not note:
        note = describe_empty_plan(problem)
    plan = Plan(
        status=status,
        engine=engine,
        chosen=chosen,
        value=found.value_micro / MICRO,
        bound=best.bound_micro / MICRO,
        left_out=LazySequence(  # most plans are only compared
            lambda: LeftOutReasons(problem, found, chosen, status != "infeasible").explain()
        ),
        note=note,
        nodes=best.nodes,
        elapsed_us=(clock_ns() - start) // NANO_PER_US,
    )
    return BestPlan(plan, problem)


def _plan_status(problem: Problem, best: BestCase) -> tuple[PlanStatus, str]:
    """What the plan may call itself, and a word to go with it."""
    if not best.is_plan:
        return "infeasible", describe_no_plan(problem, best)
    return ("optimal", "") if best.is_proven else ("feasible", "")
