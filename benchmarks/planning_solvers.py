"""The planning problem written down for three general solvers, as one would from their manuals."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from thrifty.planning.problem import Problem
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.knapsack import MICRO, KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.milp import HighsProblem
from thrifty.planning.solver.solve_result import SolveLimits


class Condition(NamedTuple):
    """A sum over columns that lies between two whole numbers."""

    factors: dict[int, int]
    """By column; what is not there is zero."""
    upper: int
    lower: int = 0
    """All columns are zero or one, so a condition without a lower limit has one far below."""


class Program(NamedTuple):
    """A model as a linear program of columns that are zero or one: the one place where CP-SAT and
    SCIP have their conditions from."""

    items: list[KnapsackItem]
    """What the first columns choose; each further one is an entry to a topic that has one."""
    values: list[int]
    """Of all columns."""
    conditions: list[Condition]


def program(model: KnapsackModel) -> Program:
    """The linear program of a model without margins and without a schedule."""
    assert not model.makespan_limit
    assert not model.impossible
    items = list(chain.from_iterable(model.items))
    values = [item.value for item in items]
    conditions = [*_limits(model, items), *_steps(model, items)]
    for steps in _topics(model):
        members = [i for i, item in enumerate(items) if item.step in steps]
        entries = range(len(values), len(values) + len(steps) - 1)
        values += [-model.penalty * rank for rank in range(1, len(steps))]
        conditions.append(
            Condition(dict.fromkeys(members, 1) | dict.fromkeys(entries, -1), 1, -len(steps))
        )
    return Program(items, values, conditions)


def _limits(model: KnapsackModel, items: Sequence[KnapsackItem]) -> Iterator[Condition]:
    yield Condition(dict.fromkeys(range(len(items)), 1), model.max_steps)
    for row, capacity in enumerate(model.capacities):
        assert not any(item.variances for item in items)
        yield Condition({i: item.amounts[row] for i, item in enumerate(items)}, capacity)


def _steps(model: KnapsackModel, items: Sequence[KnapsackItem]) -> Iterator[Condition]:
    columns: list[list[int]] = [[] for _ in model.items]
    for i, item in enumerate(items):
        columns[item.step].append(i)
    for step, own in enumerate(columns):
        yield Condition(dict.fromkeys(own, 1), 1, int(model.is_required[step]))
        for requirement in model.requires[step]:
            others = dict.fromkeys(columns[requirement], -1)
            yield Condition(dict.fromkeys(own, 1) | others, 0, -1)


def solve_by_highs(problem: Problem, limit_s: float) -> tuple[float, float]:
    import time

    model = build_knapsack(problem)
    found = HighsProblem(model).solve(
        (), SolveLimits(deadline_ns=time.monotonic_ns() + int(limit_s * 1e9))
    )
    return _units(model, model.plan_value(found.items)), _units(model, found.bound)


def solve_by_cp_sat(problem: Problem, limit_s: float) -> tuple[float, float]:
    from ortools.sat.python import cp_model

    model = build_knapsack(problem)
    items, values, conditions = program(model)
    cp = cp_model.CpModel()
    x = [cp.new_bool_var("") for _ in values]
    for factors, upper, lower in conditions:
        columns = [x[column] for column in factors]
        whole = cp_model.LinearExpr.weighted_sum(columns, list(factors.values()))
        cp.add_linear_constraint(whole, lower, upper)
    cp.maximize(cp_model.LinearExpr.weighted_sum(x, values))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = limit_s
    if solver.solve(cp) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return 0.0, float("inf")
    chosen = [item for variable, item in zip(x, items, strict=False) if solver.value(variable)]
    return _value(model, chosen), _units(model, round(solver.best_objective_bound))


def solve_by_scip(problem: Problem, limit_s: float) -> tuple[float, float]:
    from pyscipopt import Model as Scip
    from pyscipopt import quicksum

    model = build_knapsack(problem)
    items, values, conditions = program(model)
    scip = Scip()
    scip.hideOutput()
    scip.setParam("limits/time", limit_s)
    x: list[Any] = [scip.addVar(vtype="B") for _ in values]
    for factors, upper, lower in conditions:
        # Shares of the limit, or the solver's tolerance would be nothing beside nano-dollars.
        unit = max(1, upper)
        whole = quicksum(x[column] * (factor / unit) for column, factor in factors.items())
        scip.addCons(whole <= upper / unit)
        scip.addCons(whole >= lower / unit)
    scip.setObjective(quicksum(v * value for v, value in zip(x, values, strict=True)), "maximize")
    scip.optimize()
    if not scip.getNSols():
        return 0.0, float("inf")
    chosen = [i for v, i in zip(x, items, strict=False) if scip.getVal(v) > 0.5]
    return _value(model, chosen), _units(model, round(scip.getDualbound()))


def _topics(model: KnapsackModel) -> list[list[int]]:
    topics: dict[int, list[int]] = {}
    for step, topic in enumerate(model.topics):
        if topic >= 0:
            topics.setdefault(topic, []).append(step)
    return list(topics.values())


def _value(model: KnapsackModel, chosen: list[KnapsackItem]) -> float:
    assert model.is_plan(chosen)
    return _units(model, model.plan_value(chosen))


def _units(model: KnapsackModel, units: int) -> float:
    return units * model.unit_micro / MICRO
