"""What must hold of plans whatever the numbers are."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planning.instances import budget, small_problem
from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem

LAWS = settings(max_examples=150, deadline=None, derandomize=True)
ENGINES = ("auto", "exact")


def names(problem: Problem, engine: str = "exact") -> list[str]:
    return [option.name for option in make_plan(problem, engine).chosen]


@LAWS
@given(st.randoms(use_true_random=False), st.integers(0, 3), st.integers(0, 30))
def test_more_budget_never_lowers_the_value(random, place, more):
    problem = small_problem(random)
    limits = list(problem.left.limits)
    if limits[place] is None:
        return
    limits[place] += more
    richer = make_plan(replace(problem, left=budget(*limits)), "exact")
    poorer = make_plan(problem, "exact")
    assert poorer.status == "infeasible" or richer.value >= poorer.value


@pytest.mark.parametrize("seed", range(60))
def test_more_budget_changes_no_running_order(seed):
    """Not even where the densities of steps are equal, and an option more fits."""
    random = Random(seed)
    value, tokens, names = random.randint(1, 9), random.randint(1, 30), random.sample("xy", 2)
    steps = (
        _step("z", random.randint(1, 40), 10.0 * value, 10),
        _step(names[0], tokens, 1.0 * value, 10),
        _step(names[1], 3 * tokens, 3.0 * value, 30),
        _step("huge", 10**6, 0.000001, 0),
    )
    tight = Problem(steps, Budget(5_000, None, 30), max_steps=3, risk=0.5, concurrency=2)
    wide = replace(tight, left=Budget(10**7, None, 30))
    assert make_plan(wide, "exact").value >= make_plan(tight, "exact").value


def _step(name: str, tokens: int, value: float, latency_ms: int) -> Step:
    spend = Spend(tokens, 0, latency_ms)
    return Step(name, (StepOption(name, name, "llm", "do it", spend, value, spread=0.0),))


@LAWS
@given(st.randoms(use_true_random=False))
def test_removing_an_unchosen_option_changes_nothing(random):
    problem = small_problem(random)
    plan = make_plan(problem, "exact")
    chosen = {option.name for option in plan.chosen}
    spare = [(s, o) for s in problem.steps for o in s.options if o.name not in chosen]
    spare = [(s, o) for s, o in spare if len(s.options) > 1]
    if not spare:
        return
    step, option = random.choice(spare)
    left = tuple(o for o in step.options if o is not option)
    smaller = [replace(s, options=left) if s is step else s for s in problem.steps]
    assert names(replace(problem, steps=tuple(smaller))) == [o.name for o in plan.chosen]


@LAWS
@given(st.integers(0, 10**9), st.sampled_from((2, 3, 7, 1000)))
def test_scaling_all_amounts_changes_nothing(seed, scale):
    plain = small_problem(Random(seed))
    scaled = small_problem(Random(seed), scale=scale)
    assert names(plain) == names(scaled)


@pytest.mark.parametrize("engine", ENGINES)
def test_permuted_input_gives_the_same_plan(engine):
    for seed in range(200):
        random = Random(seed)
        problem = small_problem(random)
        steps = [
            replace(s, options=tuple(random.sample(s.options, len(s.options))))
            for s in problem.steps
        ]
        random.shuffle(steps)
        assert names(problem, engine) == names(replace(problem, steps=tuple(steps)), engine)


def test_the_same_input_gives_an_equal_plan():
    for seed in range(100):
        problem = small_problem(Random(seed))
        assert make_plan(problem) == make_plan(problem)
        assert make_plan(problem).to_state() == make_plan(problem).to_state()


def test_every_option_is_chosen_or_left_out_with_a_reason():
    for seed in range(300):
        problem = small_problem(Random(seed))
        for engine in ("exact", "beam"):
            plan = make_plan(problem, engine)
            listed = [o.name for o in plan.chosen] + [left.option for left in plan.left_out]
            assert sorted(listed) == sorted(o.name for s in problem.steps for o in s.options)
            assert all(left.reason for left in plan.left_out)


def test_spent_and_less_left_are_one_thing():
    for seed in range(200):
        problem = replace(small_problem(Random(seed)), kept_back=Spend())
        less = replace(problem, left=problem.left.left_after(problem.spent), spent=Spend())
        assert make_plan(problem) == make_plan(less)


def test_beam_is_never_better_and_always_a_plan():
    for seed in range(300):
        problem = small_problem(Random(seed))
        exact, beam = make_plan(problem, "exact"), make_plan(problem, "beam")
        if beam.status != "infeasible":
            assert beam.value <= exact.value <= beam.bound + 1e-9


def test_a_plan_runs_requirements_first_and_revisions_last():
    for seed in range(300):
        problem = small_problem(Random(seed))
        by_name: dict[str, Step] = {step.name: step for step in problem.steps}
        ran = {step.name for step in problem.done}
        for option in make_plan(problem).chosen:
            assert ran.issuperset(by_name[option.step].requires)
            ran.add(option.step)
