"""From a problem to a plan: build the model, solve it, explain it; the solve functions by name."""

from collections.abc import Callable, Mapping
from itertools import chain

from thrifty.budget.clock import NANO_PER_MS, NANO_PER_US
from thrifty.budget.lazy import LazySequence
from thrifty.budget.plan import Plan, PlanStatus
from thrifty.planning.problem import Problem
from thrifty.planning.reasons import LeftOutReasons
from thrifty.planning.solver.auto import solve_automatically
from thrifty.planning.solver.beam_search import solve_by_beam_search
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.constraint_matrix import ConstraintMatrix
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.knapsack import MICRO, KnapsackModel
from thrifty.planning.solver.milp import solve_by_milp
from thrifty.planning.solver.solve_result import SolveLimits, SolveResult

SolveFunction = Callable[[KnapsackModel, SolveLimits], SolveResult]
"""A pure function: the same model gives the same plan, on any machine."""

SOLVE_FUNCTIONS: Mapping[str, SolveFunction] = {
    "auto": solve_automatically,
    "exact": solve_exactly,
    "milp": lambda model, limits: solve_by_milp(model, (), limits),
    "beam": solve_by_beam_search,
}


def make_plan_with(
    engine: str, problem: Problem, deadline_ms: int, clock_ns: Callable[[], int]
) -> Plan:
    """The plan that one engine makes; see `thrifty.planning.engines.make_plan`."""
    start = clock_ns()  # before the model is built: that is planning, too
    matrix = ConstraintMatrix(problem)
    model = build_knapsack(problem, matrix)
    result = SOLVE_FUNCTIONS[engine](
        model, SolveLimits(deadline_ns=start + deadline_ms * NANO_PER_MS, clock_ns=clock_ns)
    )
    items = model.order_items(result.items)
    options = {option.name: option for step in problem.steps for option in step.options}
    chosen = tuple([options[item.name] for item in items])
    chosen_items = {option.step: item for option, item in zip(chosen, items, strict=True)}
    status, note = _plan_status(problem, model, result)
    if not chosen and not note:
        note = _describe_nothing_fits(problem, matrix)
    return Plan(
        status=status,
        engine=engine,
        chosen=chosen,
        value=model.plan_value(result.items) * model.unit_micro / MICRO,
        bound=result.bound * model.unit_micro / MICRO,
        left_out=LazySequence(  # most plans are only compared
            lambda: LeftOutReasons(
                problem, matrix, model, chosen_items, status != "infeasible"
            ).explain()
        ),
        note=note,
        nodes=result.nodes,
        elapsed_us=(clock_ns() - start) // NANO_PER_US,
    )


def _plan_status(
    problem: Problem, model: KnapsackModel, result: SolveResult
) -> tuple[PlanStatus, str]:
    """What the plan may call itself, and a word to go with it."""
    if model.impossible:
        return "infeasible", model.impossible
    if not result.is_plan:
        required = ", ".join(repr(step.name) for step in problem.steps if step.required)
        proof = "" if result.is_proven else ", as far as was searched"
        return "infeasible", f"the required steps do not fit in what is left{proof}: {required}"
    return ("optimal", "") if result.is_proven else ("feasible", "")


def _describe_nothing_fits(problem: Problem, matrix: ConstraintMatrix) -> str:
    """That nothing fits, and what the option lacks that comes nearest; empty where one fits."""
    done = {step.name for step in problem.done}
    offered = zip(problem.steps, matrix.columns_by_step, strict=True)
    nearest = matrix.describe_nearest(
        chain.from_iterable(group for step, group in offered if step.name not in done)
    )
    return f"nothing fits in what is left: {nearest}" if nearest else ""
