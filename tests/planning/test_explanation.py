"""Reasons, prices, entries and the frontier say what is true."""

import json
from dataclasses import replace
from random import Random
from time import process_time

import pytest

from tests.planning.families import tutorial_like
from tests.planning.instances import small_problem
from thrifty.budget import Budget, InvalidInput, Plan, Spend, Step, StepOption
from thrifty.planning.engines import make_plan
from thrifty.planning.explanation import entries, least_increase, round_amount, shadow_prices
from thrifty.planning.frontier import frontier, point_at
from thrifty.planning.problem import Problem


def option(name: str, step: str, tokens: int, value: float) -> StepOption:
    return StepOption(name, step, "llm", "do it", Spend(tokens), value, spread=0.0)


def two_steps(tokens: int) -> Problem:
    steps = (
        Step("A", (option("A big", "A", 600, 2.0), option("A small", "A", 100, 1.0))),
        Step("B", (option("B", "B", 500, 1.5),), requires=("A",)),
    )
    return Problem(steps, Budget(tokens), risk=0.5)


def test_reasons_name_what_kept_an_option_out():
    plan = make_plan(two_steps(700))
    assert [o.name for o in plan.chosen] == ["A small", "B"]
    (left,) = plan.left_out
    assert left.reason == "does not fit beside the rest: 400 tokens short"


def test_least_increase_is_where_the_best_plan_first_has_the_option():
    problem = two_steps(700)
    assert least_increase(problem, "A big", "tokens") == 400
    (entry,) = entries(problem, make_plan(problem))
    assert entry.to_state()["increase"] == {"tokens": 400}


def test_least_increase_agrees_with_trying_every_budget():
    tried = 0
    for seed in range(40):
        problem = replace(small_problem(Random(seed), steps_max=4), concurrency=1)
        limits = {r.name: limit for r, limit in problem.left.limited()}
        plan = make_plan(problem, "exact")
        if "tokens" not in limits or not plan.left_out:
            continue
        name = plan.left_out[0].option
        more = least_increase(problem, name, "tokens")
        assert more == _first_budget_with(problem, name)
        tried += 1
    assert tried > 10


def _first_budget_with(problem: Problem, name: str) -> int | None:
    for more in range(120):
        left = problem.left.raised_by({"tokens": more})
        best = make_plan(replace(problem, left=left), "exact")
        steps = tuple(
            replace(s, options=tuple(o for o in s.options if o.name == name), required=True)
            if any(o.name == name for o in s.options)
            else s
            for s in problem.steps
        )
        forced = make_plan(replace(problem, left=left, steps=steps), "exact")
        if forced.status == "optimal" and (
            best.status == "infeasible" or forced.value >= best.value - 1e-9
        ):
            return more
    return None


def test_shadow_prices_bind_where_the_budget_does():
    problem = Problem(two_steps(700).steps, Budget(700, max_latency_ms=10_000), risk=0.5)
    tokens, latency = shadow_prices(problem, make_plan(problem))
    assert tokens.is_binding
    assert tokens.used == 600
    assert not latency.is_binding
    assert latency.value_per_unit == pytest.approx(0.0, abs=1e-6)


def test_a_shadow_price_says_what_more_would_really_bring():
    problem = tutorial_like(Random(3), 30)
    plan = make_plan(problem)
    for price in shadow_prices(problem, plan):
        richer = point_at(problem, problem.left.raised_by({price.resource: price.step}))
        assert price.step_worth == pytest.approx(richer.value - plan.value)
        assert "more would be worth +" in str(price)
        json.dumps(price.to_state())


def test_the_frontier_rises_and_meets_the_plan():
    problem = tutorial_like(Random(1), 15)
    points = frontier(problem, "tokens", 20, up_to=2)
    values = [point.value for point in points]
    assert values == sorted(values)
    assert points[9].value == make_plan(problem).value
    assert all(point.status == "optimal" for point in points)
    json.dumps([point.to_state() for point in points])


def test_fifty_exact_points_at_sixty_options_in_about_a_second():
    problem = tutorial_like(Random(2), 30)
    start = process_time()
    points = frontier(problem)
    assert len(points) == 50
    assert all(point.status == "optimal" for point in points)
    assert process_time() - start < 3  # a second on a free machine; benchmarks measure it


def test_the_frontier_refuses_a_resource_without_a_limit():
    with pytest.raises(InvalidInput, match="resource"):
        frontier(two_steps(700), "latency")


def test_amounts_are_round():
    assert [round_amount(n) for n in (0, 1, 3, 7, 110, 4_999)] == [1, 1, 2, 5, 100, 2_000]


def test_a_plan_survives_its_state():
    plan = make_plan(two_steps(700))
    assert Plan.from_state(json.loads(json.dumps(plan.to_state()))) == plan
