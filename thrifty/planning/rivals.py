"""Which limits keep a better plan out that has another answer, or sections in place of one.

Such a plan shares no step with the one that was chosen, so no option of it is too large beside
the rest. What is too large is the whole.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from thrifty.budget.limits import Budget
from thrifty.budget.resources import LATENCY
from thrifty.budget.spend import Spend
from thrifty.planning import risk
from thrifty.planning.best_case import find_best_case
from thrifty.planning.plan_spend import makespan_ms
from thrifty.planning.problem import STEPS_LIMIT, Problem
from thrifty.planning.role_rows import RoleRows
from thrifty.planning.solver.constraint_matrix import ConstraintMatrix, OptionColumn
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.solve_result import SolveLimits

RIVAL_NODES_MAX = 20_000
"""Without limits a plan is soon found."""


def find_limits_of_rivals(
    problem: Problem,
    matrix: ConstraintMatrix,
    rows: RoleRows,
    chosen: Collection[str],
    value_micro: int,
) -> Mapping[str, tuple[str, ...]]:
    """By option of the best rival, the limits that it passes; none where it is not the better plan.

    Args:
        problem: what was planned.
        matrix: of the problem.
        rows: of the problem.
        chosen: the steps of its plan.
        value_micro: what the plan is worth, in millionths.
    """
    rivals = [rows.narrow(problem, case) for case in rows.cases() if not case.holds(chosen)]
    if not rivals:
        return {}
    unlimited = [
        replace(rival, left=Budget(), spent=Spend(), kept_back=Spend(), max_steps=len(rival.steps))
        for rival in rivals
    ]
    best = find_best_case(unlimited, solve_exactly, SolveLimits(RIVAL_NODES_MAX))
    if not best.is_plan or best.found.value_micro <= value_micro:
        return {}
    names = [item.name for item in best.found.model.order_items(best.found.items)]
    return dict.fromkeys(names, tuple(_passed_limits(problem, matrix, names)))


def _passed_limits(
    problem: Problem, matrix: ConstraintMatrix, names: Sequence[str]
) -> Iterator[str]:
    """The limits that options pass together, in their running order."""
    columns = {column[2]: column for group in matrix.columns_by_step for column in group}
    chosen = [columns[name] for name in names]
    for row, (resource, limit) in enumerate(zip(matrix.row_names, matrix.limits, strict=True)):
        is_makespan = matrix.makespan_limit is not None and resource == LATENCY.name
        amounts = [column[3][row] for column in chosen]
        used = _makespan_ms(problem, chosen, amounts) if is_makespan else sum(amounts)
        margin = risk.margin_amount(sum(column[4][row] for column in chosen if column[4]))
        if used + margin > limit:
            yield resource
    if len(names) > problem.max_steps:
        yield STEPS_LIMIT


def _makespan_ms(
    problem: Problem, chosen: Sequence[OptionColumn], latencies_ms: Sequence[int]
) -> int:
    step_of = {option.name: step for step in problem.steps for option in step.options}
    steps = [step_of[column[2]] for column in chosen]
    is_in_waves = problem.schedule == "waves"
    return makespan_ms(steps, latencies_ms, problem.concurrency, waves=is_in_waves)
