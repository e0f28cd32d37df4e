"""The planning problem written down for three general solvers, as one would from their manuals."""

from itertools import chain
from typing import Any

from thrifty.planning.compiling import build_model
from thrifty.planning.milp import Milp
from thrifty.planning.model import MICRO, Item, Model
from thrifty.planning.problem import Problem
from thrifty.planning.result import Stop


def solve_by_highs(problem: Problem, limit_s: float) -> tuple[float, float]:
    import time

    model = build_model(problem)
    found = Milp(model).solve((), Stop(deadline_ns=time.monotonic_ns() + int(limit_s * 1e9)))
    return _units(model, model.worth(found.items)), _units(model, found.bound)


def solve_by_cp_sat(problem: Problem, limit_s: float) -> tuple[float, float]:
    from ortools.sat.python import cp_model

    model = build_model(problem)
    cp = cp_model.CpModel()
    x = [[cp.new_bool_var("") for _ in group] for group in model.items]
    flat, items = list(chain.from_iterable(x)), list(chain.from_iterable(model.items))
    for row, capacity in enumerate(model.capacities):
        amounts = [item.amounts[row] for item in items]
        cp.add(cp_model.LinearExpr.weighted_sum(flat, amounts) <= capacity)
    cp.add(cp_model.LinearExpr.sum(flat) <= model.max_steps)
    for step, group in enumerate(x):
        cp.add_at_most_one(group)
        for requirement in model.requires[step]:
            cp.add(sum(group) <= sum(x[requirement]))
    terms, factors = list(flat), [item.value for item in items]
    for members in _topics(model):
        entries = [cp.new_bool_var("") for _ in members[1:]]
        cp.add(sum(v for step in members for v in x[step]) <= 1 + sum(entries))
        terms += entries
        factors += [-model.penalty * (rank + 1) for rank in range(len(entries))]
    cp.maximize(cp_model.LinearExpr.weighted_sum(terms, factors))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = limit_s
    if solver.solve(cp) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return 0.0, float("inf")
    chosen = [item for variable, item in zip(flat, items, strict=True) if solver.value(variable)]
    return _value(model, chosen), _units(model, round(solver.best_objective_bound))


def solve_by_scip(problem: Problem, limit_s: float) -> tuple[float, float]:
    from pyscipopt import Model as Scip
    from pyscipopt import quicksum

    model = build_model(problem)
    scip = Scip()
    scip.hideOutput()
    scip.setParam("limits/time", limit_s)
    x: list[list[Any]] = [[scip.addVar(vtype="B") for _ in group] for group in model.items]
    flat, items = list(chain.from_iterable(x)), list(chain.from_iterable(model.items))
    for row, capacity in enumerate(model.capacities):
        pairs = zip(flat, items, strict=True)
        # Shares of the capacity, or the solver's tolerance would be nothing beside nano-dollars.
        scip.addCons(quicksum(v * (i.amounts[row] / max(1, capacity)) for v, i in pairs) <= 1)
    scip.addCons(quicksum(flat) <= model.max_steps)
    for step, group in enumerate(x):
        scip.addCons(quicksum(group) <= 1)
        for requirement in model.requires[step]:
            scip.addCons(quicksum(group) <= quicksum(x[requirement]))
    value = quicksum(v * i.value for v, i in zip(flat, items, strict=True))
    for members in _topics(model):
        entries = [scip.addVar(lb=0, ub=1) for _ in members[1:]]
        scip.addCons(quicksum(v for s in members for v in x[s]) <= 1 + quicksum(entries))
        value = value - quicksum(e * model.penalty * (k + 1) for k, e in enumerate(entries))
    scip.setObjective(value, "maximize")
    scip.optimize()
    chosen = [i for v, i in zip(flat, items, strict=True) if scip.getVal(v) > 0.5]
    return _value(model, chosen), _units(model, round(scip.getDualbound()))


def _topics(model: Model) -> list[list[int]]:
    topics: dict[int, list[int]] = {}
    for step, topic in enumerate(model.topics):
        if topic >= 0:
            topics.setdefault(topic, []).append(step)
    return list(topics.values())


def _value(model: Model, chosen: list[Item]) -> float:
    assert model.is_plan(chosen)
    return _units(model, model.worth(chosen))


def _units(model: Model, units: int) -> float:
    return units * model.unit_micro / MICRO
