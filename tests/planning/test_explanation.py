"""Reasons, prices, entries and the frontier say what is true."""

import json
from collections import Counter
from dataclasses import replace
from random import Random
from time import process_time

import pytest

from tests.long_cases import long_but
from tests.planning.brute import lacks
from tests.planning.families import tutorial_like
from tests.planning.instances import small_problem
from thrifty.budget import Budget, InvalidInput, Plan, Spend, Step, StepOption
from thrifty.budget.resources import format_amounts
from thrifty.planning.engines import make_plan
from thrifty.planning.explanation import (
    least_increase,
    required_increases,
    round_amount,
    shadow_prices,
)
from thrifty.planning.frontier import frontier, frontier_point
from thrifty.planning.problem import Problem
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.upgrade import find_upgrades

KINDS = (
    "is done",
    "even alone",
    "requires",
    "beside the rest",
    "was chosen",
    "the plan has its",
    "repeats the topic",
    "adds no value",
    "no plan has",
)


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


def test_each_reason_is_true():
    """What would not fit does not, what would fit is no better, and what repeats a topic does."""
    seen = Counter()
    for seed in range(1_500):
        problem = small_problem(Random(seed))
        plan, model = make_plan(problem, "exact"), build_knapsack(problem)
        items = {item.name: item for group in model.items for item in group}
        chosen = {option.step: items[option.name] for option in plan.chosen}
        for left in plan.left_out:
            item = items.get(left.option)
            with_it = [*({**chosen, left.step: item}.values())] if item else []
            kind = next((kind for kind in KINDS if kind in left.reason), left.reason)
            seen[kind] += 1
            if plan.status == "infeasible":
                assert kind in ("no plan has", "is done", "even alone"), (seed, left)
            elif kind == "beside the rest" and item:
                assert min(model.rooms(with_it)) < 0, (seed, left)
            elif kind in ("was chosen", "adds no value") and item:
                assert min(model.rooms(with_it), default=0) >= 0, (seed, left)
                is_better = model.plan_value(with_it) > model.plan_value(list(chosen.values()))
                assert not (is_better and model.is_plan(with_it)), (seed, left)
            elif kind == "repeats the topic":
                present = {*chosen, *(step.name for step in problem.done)}
                steps = (*problem.steps, *problem.done)
                topic = next(step.topic for step in steps if step.name == left.step)
                assert any(s.topic == topic for s in steps if s.name in present - {left.step})
    assert all(seen[kind] for kind in KINDS), seen


def test_a_plan_that_would_end_too_late_is_why():
    steps = tuple(
        Step(n, (StepOption(n, n, "llm", "do it", Spend(0, 0, 60), value, spread=0.0),))
        for n, value in (("A", 3.0), ("B", 2.0), ("C", 1.0))
    )
    problem = Problem(steps, Budget(max_latency_ms=100), concurrency=2, risk=0.5)
    (left,) = make_plan(problem).left_out
    assert left.reason == "does not fit beside the rest: 20 ms short"


def on_one_topic(tokens: int) -> Problem:
    """Required steps whose plans are worth less than nothing."""
    steps = (
        Step("A", (option("A", "A", 10, 1.0),), topic="t", required=True),
        Step(
            "B",
            (option("B small", "B", 10, 1.0), option("B big", "B", 30, 1.5)),
            topic="t",
            required=True,
        ),
    )
    return Problem(steps, Budget(tokens, 1), diversity_penalty=5.0, risk=0.5)


def test_plans_of_less_than_nothing_are_plans():
    problem = on_one_topic(20)
    plan = make_plan(problem)
    assert plan.value == -3.0
    assert least_increase(problem, "B big", "tokens") == 20
    assert not any(price.is_binding for price in shadow_prices(problem, plan)[1:])
    (upgrade,) = find_upgrades(problem)
    assert (upgrade.increase, upgrade.gain) == (20, 0.5)


def test_where_there_is_no_plan_the_least_increase_brings_one():
    problem = on_one_topic(15)
    assert least_increase(problem, "A", "tokens") == 5
    assert least_increase(problem, "B big", "tokens") == 25
    (upgrade,) = find_upgrades(problem)
    assert (upgrade.increase, upgrade.adds) == (5, ("A", "B small"))


def test_nothing_brings_in_an_option_of_a_step_that_is_done():
    steps = two_steps(700).steps
    problem = Problem(steps[1:], Budget(100), done=(steps[1],), risk=0.5)
    assert least_increase(problem, "B", "tokens") is None


def test_the_least_increase_may_be_many_better_plans_away():
    many = tuple(option(f"o{i:02}", "S", i, float(i)) for i in range(1, 81))
    steps = (Step("S", many), Step("X", (option("X", "X", 2, 1.5),)))
    assert least_increase(Problem(steps, Budget(5), risk=0.5), "X", "tokens") == 76


def test_least_increase_is_where_the_best_plan_first_has_the_option():
    problem = two_steps(700)
    assert least_increase(problem, "A big", "tokens") == 400
    (entry,) = required_increases(problem, make_plan(problem))
    assert entry.to_state()["increase"] == {"tokens": 400}


def test_least_increase_agrees_with_trying_every_budget():
    tried = 0
    for seed in range(40):
        problem = replace(small_problem(Random(seed), steps_max=4), concurrency=1)
        limits = {r.name: limit for r, limit in problem.left.limited_resources()}
        plan = make_plan(problem, "exact")
        done = {step.name for step in problem.done}
        names = [left.option for left in plan.left_out if left.step not in done]
        if "tokens" not in limits or not names:
            continue
        name = names[0]
        more = least_increase(problem, name, "tokens")
        assert more == _first_budget_with(problem, name)
        tried += 1
    assert tried > 10


def test_what_is_late_is_told_by_the_schedule_and_not_by_the_work():
    """Two of 90 ms run at a time, so a third step of 60 ms would end after 150."""
    a, b, c = (
        Step(name, (StepOption(name, name, "llm", "do it", Spend(tokens, 0, ms), value),))
        for name, tokens, ms, value in (("a", 10, 90, 5.0), ("b", 10, 90, 5.0), ("c", 30, 60, 1.0))
    )
    problem = Problem((a, b, c), Budget(1_000, None, 100), risk=0.5, concurrency=2)
    (left,) = make_plan(problem).left_out
    assert left.reason == "does not fit beside the rest: 50 ms short"
    (left,) = make_plan(replace(problem, left=Budget(40, None, 100))).left_out
    assert left.reason == "does not fit beside the rest: 10 tokens, 50 ms short"


@pytest.mark.parametrize("concurrency", long_but([1, 2, 3], 2))
def test_what_is_missing_is_what_every_limit_truly_lacks(concurrency):
    """Counted anew for each option left out, from the problem and nothing else."""
    seen = Counter()
    for seed in range(3_000):
        problem = replace(small_problem(Random(seed)), concurrency=concurrency)
        plan = make_plan(problem, "exact")
        options = {o.name: o for step in problem.steps for o in step.options}
        for left in plan.left_out:
            option = options[left.option]
            with_it = [*(o for o in plan.chosen if o.step != left.step), option]
            if "beside the rest" in left.reason:
                missing = lacks(problem, with_it)
                assert (
                    left.reason == f"does not fit beside the rest: {format_amounts(missing)} short"
                )
                seen[len(missing), "latency" in missing] += 1
            elif "was chosen" in left.reason or "adds no value" in left.reason:
                assert not lacks(problem, with_it)
                seen["fits"] += 1
    assert min(seen[1, False], seen[1, True], seen[2, True], seen["fits"]) >= 5, seen


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
        richer = frontier_point(problem, problem.left.raised_by({price.resource: price.increase}))
        assert price.gain == pytest.approx(richer.value - plan.value)
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


def test_a_plan_of_one_step_has_its_one_step():
    steps = tuple(Step(name, (option(f"do {name}", name, 1, 1.0),)) for name in "AB")
    plan = make_plan(Problem(steps, Budget(10), max_steps=1))
    assert plan.left_out[0].reason == "the plan has its 1 step"
