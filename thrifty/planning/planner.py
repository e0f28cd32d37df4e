"""From a problem to a plan: compile, search, and say why; the searches by their names."""

from collections.abc import Callable, Mapping
from functools import partial

from thrifty.budget.lazy import LazySequence
from thrifty.budget.plan import Plan, PlanStatus
from thrifty.planning.auto import search_automatically
from thrifty.planning.beam import search_by_beam
from thrifty.planning.compiling import build_model
from thrifty.planning.exact import search_exactly
from thrifty.planning.measure import Measure
from thrifty.planning.milp import search_by_milp
from thrifty.planning.model import MICRO, Model
from thrifty.planning.problem import Problem
from thrifty.planning.reasons import left_out
from thrifty.planning.result import Found, Stop

NS_PER_MS = 1_000_000
NS_PER_US = 1_000

Search = Callable[[Model, Stop], Found]
"""A pure function: the same model gives the same plan, on any machine."""

SEARCHES: Mapping[str, Search] = {
    "auto": search_automatically,
    "exact": lambda model, stop: search_exactly(model, (), stop),
    "milp": lambda model, stop: search_by_milp(model, (), stop),
    "beam": search_by_beam,
}


def plan_with(engine: str, problem: Problem, deadline_ms: int, clock_ns: Callable[[], int]) -> Plan:
    """The plan that one engine makes; see `thrifty.planning.engines.make_plan`."""
    start = clock_ns()
    measure = Measure(problem)
    model = build_model(problem, measure)
    found = SEARCHES[engine](
        model, Stop(deadline_ns=start + deadline_ms * NS_PER_MS, clock_ns=clock_ns)
    )
    items = model.in_order(found.items)
    options = {option.name: option for step in problem.steps for option in step.options}
    chosen = tuple([options[item.name] for item in items])
    taken = {option.step: item for option, item in zip(chosen, items, strict=True)}
    status, note = _status(problem, model, found)
    return Plan(
        status=status,
        engine=engine,
        chosen=chosen,
        value=model.worth(found.items) * model.unit_micro / MICRO,
        bound=found.bound * model.unit_micro / MICRO,
        left_out=LazySequence(
            partial(left_out, problem, measure, model, taken, is_plan=status != "infeasible")
        ),
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
