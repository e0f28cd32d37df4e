"""Why there is no plan, or one without a step, in plain words."""

from collections.abc import Collection
from itertools import chain

from thrifty.planning.best_case import BestCase
from thrifty.planning.problem import Problem
from thrifty.planning.role_rows import RoleRows
from thrifty.planning.solver.constraint_matrix import ConstraintMatrix


def describe_no_plan(problem: Problem, best: BestCase) -> str:
    """Why no plan has all that is required."""
    rows = RoleRows.of(problem)
    cases = rows.cases()
    if not cases:
        return rows.conflict()
    if rows.missed_steps and not rows.done_answers:
        first = rows.conflict()
    else:
        first = _describe_without_answer(problem, best)
        if len(cases) == 1 or cases[0].has:
            return first
    nearest = _describe_nearest(problem, rows.answers)
    return f"{first}; nor does a plan with an answer{nearest and f': {nearest}'}"


def _describe_without_answer(problem: Problem, best: BestCase) -> str:
    model = best.found.model
    if model.impossible:
        return model.impossible
    required = [step.name for step in best.found.problem.steps if step.required]
    names = ", ".join(map(repr, required))
    count = sum(model.is_required)
    if count > problem.max_steps:
        most = f"a plan may have {problem.max_steps}"
        return f"{count} steps are required, and {most}: {names}; raise max_steps"
    proof = "" if best.is_proven else ", as far as was searched"
    return f"the required steps do not fit in what is left{proof}: {names}"


def describe_empty_plan(problem: Problem) -> str:
    """Why nothing was chosen: what the option lacks that comes nearest, or that a plan may not have
    the steps. Empty where something would fit."""
    rows = RoleRows.of(problem)
    choosable = sorted(rows.choosable())
    if not choosable:
        return ""
    if not problem.max_steps:
        return "no more steps may be done: raise max_steps"
    if nearest := _describe_nearest(problem, choosable):
        return f"nothing fits in what is left: {nearest}"
    needed = {name: rows.count_required((name,)) for name in choosable}
    name = min(needed, key=lambda name: needed[name])
    if needed[name] <= problem.max_steps:
        return ""
    return f"{name!r} {describe_too_many(needed[name], problem.max_steps)}: raise max_steps"


def describe_too_many(needed: int, max_steps: int) -> str:
    """That a step needs more steps than a plan may have."""
    return f"needs {needed} steps with what it requires, and a plan may have {max_steps}"


def _describe_nearest(problem: Problem, names: Collection[str]) -> str:
    """What the option of these steps lacks that comes nearest; empty where one fits alone."""
    matrix = ConstraintMatrix(problem)
    offered = zip(problem.steps, matrix.columns_by_step, strict=True)
    return matrix.describe_nearest(
        chain.from_iterable(group for step, group in offered if step.name in names)
    )
