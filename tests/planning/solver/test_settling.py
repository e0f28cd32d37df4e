"""Settled prices bound every plan, and no worse than those they came from."""

from random import Random

import pytest

from tests.planning.instances import small_problem
from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.problem import Problem
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.core import whole_core
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.knapsack import MICRO, KnapsackModel
from thrifty.planning.solver.packed_rows import PackedRows
from thrifty.planning.solver.relaxation import DualPrices, Relaxation
from thrifty.planning.solver.settling import Settling


def relaxation_of(model: KnapsackModel) -> Relaxation:
    rows = PackedRows(model)
    return Relaxation(model, whole_core(model, rows), rows)


def random_prices(random: Random, relaxation: Relaxation, highest: float) -> DualPrices:
    """Prices of everything that can have one."""
    model = relaxation.model
    arcs = [(s, r) for s, requires in enumerate(model.requires) for r in requires]
    return DualPrices(
        [random.uniform(0, highest) for _ in model.row_names],
        {arc: random.choice((0.0, random.uniform(0, highest))) for arc in arcs},
        {topic: random.uniform(0, 2.0 * model.penalty) for topic in relaxation.topic_places},
    )


def test_settling_lowers_the_bound_and_never_below_the_best_plan():
    lowered = 0
    for seed in range(2_000):
        random = Random(seed)
        model = build_knapsack(small_problem(random, steps_max=7))
        if not model.items or model.impossible:
            continue
        relaxation = relaxation_of(model)
        highest = max(1, *[group[0].value for group in model.items])
        prices = random_prices(random, relaxation, highest)
        before = relaxation.solve(prices)
        after = Settling(relaxation).solve(prices)
        assert after.bound <= before.bound + 1e-6
        assert relaxation.solve(after.prices).bound == pytest.approx(after.bound)
        found = solve_exactly(model)
        assert not found.is_plan or after.bound >= model.plan_value(found.items) - 1.0
        lowered += after.bound < before.bound - 1e-6
    assert lowered > 300


def step(name: str, tokens: int, value: float, *requires: str) -> Step:
    option = StepOption(f"do {name}", name, "llm", "do it", Spend(tokens), value, spread=0.0)
    return Step(name, (option,), requires)


def test_a_step_pays_for_what_its_requirement_requires():
    """The middle of the chain neither gains nor loses, and passes on what it is paid."""
    steps = (step("a", 100, 1.0), step("b", 100, 2.0, "a"), step("c", 100, 9.0, "b"))
    model = build_knapsack(Problem(steps, Budget(300), max_steps=3))
    relaxation = relaxation_of(model)
    unit = relaxation.columns[0][0]
    per_step = relaxation.values[1] / unit
    prices = DualPrices([per_step], {}, {})
    settled = Settling(relaxation).solve(prices)
    # Of the 9 less 2 that the last gains, the first lacks 2 less 1.
    lost = relaxation.solve(prices).bound - settled.bound
    assert lost == pytest.approx(1.0 * MICRO / model.unit_micro, rel=1e-3)
