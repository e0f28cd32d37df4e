"""What enough others beat goes, and nothing else."""

from dataclasses import replace

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.compiling import build_model
from thrifty.planning.core import whole
from thrifty.planning.problem import Problem
from thrifty.planning.rows import Rows
from thrifty.planning.skyband import skyband


def step(name: str, value: float, tokens: int = 100, spread: float = 0.0, **given) -> Step:
    option = StepOption(name, name, "llm", "do it", Spend(tokens), value, spread=spread)
    return Step(name, (option,), **given)


def left(*steps: Step, max_steps: int = 2, **given) -> set[str]:
    """The names of the steps that stay in the whole problem's core."""
    problem = Problem(steps, Budget(1_000), max_steps=max_steps, **given)
    return of(problem)


def of(problem: Problem) -> set[str]:
    model = build_model(problem)
    rows = Rows(model)
    core = skyband(model, rows, whole(model, rows))
    assert core is not None
    return {branch.item.name for position in core for branch in position.branches}


def test_what_as_many_beat_as_a_plan_has_steps_goes():
    steps = [step("a", 3.0), step("b", 2.5), step("c", 2.0)]
    assert left(*steps) == {"a", "b"}
    assert left(*steps, max_steps=1) == {"a"}
    assert left(*steps, max_steps=3) == {"a", "b", "c"}


def test_what_takes_less_of_anything_is_not_beaten():
    assert left(step("a", 3.0), step("b", 2.5), step("c", 2.0, tokens=99)) == {"a", "b", "c"}


def test_what_takes_nothing_of_a_limit_beats_what_takes_some():
    assert left(step("a", 3.0, tokens=0), step("b", 2.0), max_steps=1) == {"a"}


def test_equals_are_told_apart_by_their_names():
    assert left(step("a", 2.0), step("b", 2.0), step("c", 2.0)) == {"a", "b"}


def test_two_on_one_topic_beat_as_one():
    a, b = step("a", 3.0, topic="same"), step("b", 2.5, topic="same")
    assert left(a, b, step("c", 2.0)) == {"a", "b", "c"}
    assert left(a, replace(b, topic="other"), step("c", 2.0)) == {"a", "b"}


def test_what_requires_another_step_beats_nothing():
    a = step("a", 3.0, requires=("r",))
    steps = [step("r", 0.5, tokens=1), step("b", 2.5), step("c", 2.0)]
    assert left(a, *steps) == {"a", "b", "c", "r"}
    assert left(replace(a, requires=()), *steps) == {"a", "b", "r"}


def test_what_is_required_stays():
    steps = [step("a", 3.0), step("b", 2.5), step("c", 2.0)]
    assert left(*steps, step("d", 1.0, requires=("c",), tokens=1)) == {"a", "b", "c", "d"}
    assert left(*steps[:2], replace(steps[2], required=True)) == {"a", "b", "c"}


def test_what_takes_more_margin_beats_nothing():
    unsure, sure = step("a", 3.0, spread=0.5), step("b", 2.0)
    assert left(unsure, sure, max_steps=1, risk=0.3) == {"a", "b"}
    assert left(unsure, step("b", 2.0, spread=0.5), max_steps=1, risk=0.3) == {"a"}
    assert left(unsure, sure, max_steps=1, risk=0.5) == {"a"}


def test_where_a_schedule_may_get_longer_by_it_nothing_goes():
    steps = (step("a", 3.0), step("b", 2.0))
    timed = Problem(steps, Budget(1_000, max_latency_ms=1_000), max_steps=1, concurrency=2)
    assert of(timed) == {"a", "b"}
    assert of(replace(timed, concurrency=1)) == {"a"}
