"""The one signature behind which every planner stands, and the planners by their names."""

from collections.abc import Callable, Mapping
from time import monotonic_ns

from thrifty.budget import checks
from thrifty.budget.plan import Plan, PlanStatus
from thrifty.planning.auto import search_automatically
from thrifty.planning.beam import search_by_beam
from thrifty.planning.compiling import build_model
from thrifty.planning.exact import search_exactly
from thrifty.planning.milp import search_by_milp
from thrifty.planning.model import MICRO, Model
from thrifty.planning.problem import Problem
from thrifty.planning.reasons import left_out
from thrifty.planning.result import Found, Stop

NS_PER_MS = 1_000_000
NS_PER_US = 1_000
DEADLINE_MS_DEFAULT = 10_000
DEADLINE_MS_MAX = 86_400_000

Engine = Callable[[Model, Stop], Found]
"""A pure function: the same model gives the same plan, on any machine."""

ENGINES: Mapping[str, Engine] = {
    "auto": search_automatically,
    "exact": lambda model, stop: search_exactly(model, (), stop),
    "milp": lambda model, stop: search_by_milp(model, (), stop),
    "beam": search_by_beam,
}
ENGINE_DEFAULT = "auto"


def make_plan(
    problem: Problem,
    engine: str = ENGINE_DEFAULT,
    *,
    deadline_ms: int = DEADLINE_MS_DEFAULT,
    clock_ns: Callable[[], int] = monotonic_ns,
) -> Plan:
    """Plans with the engine of that name.

    Args:
        problem: what is to be planned.
        engine: one of `ENGINES`.
        deadline_ms: after how long the best plan found is returned, with its gap. Only a
            problem that is cut short by it can be planned differently on a slower machine.
        clock_ns: a clock that never goes back.

    Raises:
        InvalidInput: no engine has that name, or it is not installed.
    """
    search = ENGINES[checks.choice("engine", engine, ENGINES)]
    checks.amount("deadline_ms", deadline_ms, maximum=DEADLINE_MS_MAX)
    start = clock_ns()
    model = build_model(problem)
    found = search(model, Stop(deadline_ns=start + deadline_ms * NS_PER_MS, clock_ns=clock_ns))
    options = {option.name: option for step in problem.steps for option in step.options}
    chosen = tuple(options[item.name] for item in model.in_order(found.items))
    status, note = _status(problem, model, found)
    return Plan(
        status=status,
        engine=engine,
        chosen=chosen,
        value=model.worth(found.items) * model.unit_micro / MICRO,
        bound=found.bound * model.unit_micro / MICRO,
        left_out=left_out(problem, chosen, model),
        note=note,
        nodes=found.nodes,
        elapsed_us=(clock_ns() - start) // NS_PER_US,
    )


def _status(problem: Problem, model: Model, found: Found) -> tuple[PlanStatus, str]:
    """What the plan may call itself, and a word to go with it."""
    if model.impossible:
        return "infeasible", model.impossible
    if not found.is_plan:
        required = ", ".join(repr(step.name) for step in problem.steps if step.required)
        proof = "" if found.is_proven else ", as far as was searched"
        return "infeasible", f"the required steps do not fit in what is left{proof}: {required}"
    return ("optimal", "") if found.is_proven else ("feasible", "")
