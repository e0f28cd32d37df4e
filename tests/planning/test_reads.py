"""What a step reads is order in a plan, and no selection: what it requires is both."""

import pytest

from thrifty import Budget, Problem, Spend, Step, StepOption, make_plan
from thrifty.planning.engines import ENGINES
from thrifty.planning.plan_spend import plan_spend
from thrifty.steering.ready import ready_options


def step(name: str, value: float, tokens: int = 10, **fields) -> Step:
    option = StepOption(name, name, "local", "does it", Spend(tokens, 0, 100), value, 0.0)
    return Step(name, (option,), **fields)


def plan_of(*steps: Step, engine: str = "exact", tokens: int = 100, **more) -> list[str]:
    problem = Problem(tuple(steps), Budget(max_tokens=tokens), **more)
    return [option.step for option in make_plan(problem, engine).chosen]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_runs_what_is_read_first_whatever_it_is_worth(engine):
    reader, source = step("Reader", 9.0, reads=("Source", "a document")), step("Source", 1.0)
    assert plan_of(reader, source, engine=engine) == ["Source", "Reader"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_may_lack_what_is_read_and_not_what_is_required(engine):
    source = step("Source", 0.1, tokens=95)
    assert plan_of(step("A", 9.0, reads=("Source",)), source, engine=engine) == ["A"]
    assert plan_of(step("A", 9.0, requires=("Source",)), source, engine=engine) == ["Source"]


def test_what_is_done_or_unknown_holds_nothing_back():
    reader = step("Reader", 9.0, reads=("Done", "a document"))
    assert plan_of(reader, done=(step("Done", 1.0),)) == ["Reader"]


def test_a_chain_of_readers_takes_as_long_as_it_has_steps():
    chain = (step("A", 1.0), step("B", 1.0, reads=("A",)), step("C", 1.0, reads=("B",)))
    problem = Problem(chain, Budget(), concurrency=4, schedule="waves")
    assert plan_spend(problem, [s.options[0] for s in chain]).latency_ms == 300
    limited = {"concurrency": 4, "schedule": "waves", "risk": 0.5}
    within = Problem(chain, Budget(max_latency_ms=250), **limited)
    assert len(make_plan(within, "exact").chosen) == 2


def test_a_step_waits_for_what_it_reads_as_long_as_that_remains():
    steps = {s.name: s for s in (step("R", 1.0, reads=("S", "doc")), step("S", 1.0))}

    def ready(*remaining: str) -> list[str]:
        options = {name: steps[name].options[0] for name in remaining}
        return [o.step for o in ready_options(options, steps, set(), 9)]

    assert ready("R", "S") == ["S"]
    assert ready("R") == ["R"]
