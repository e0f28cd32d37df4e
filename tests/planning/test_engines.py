"""The signature that callers rely on: engines by name, deadlines, refusals, features one by one."""

import subprocess
import sys
from dataclasses import replace
from itertools import count
from random import Random
from unittest.mock import Mock

import pytest

from tests.planning.families import tutorial_like
from thrifty.budget import Budget, InvalidInput, Spend, Step, StepOption
from thrifty.planning.engines import DEADLINE_MS_MAX, ENGINES, make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.solver import auto, milp
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.solve_result import SolveLimits

HEAVY = {"numpy", "pydantic", "highspy", "scipy", "ortools", "langgraph", "langchain_core"}


def step(name: str, tokens: int, value: float, **given: object) -> Step:
    spend = Spend(tokens, latency_ms=tokens)
    option = StepOption(f"do {name}", name, "llm", "do it", spend, value, spread=0.0)
    return Step(name, (option,), **given)


def chosen(problem: Problem, engine: str = "auto") -> list[str]:
    return [option.step for option in make_plan(problem, engine).chosen]


def loaded_by(code: str) -> set[str]:
    """The modules that a program of its own has loaded, beyond those that Python starts with."""
    listing = "; import sys; print(*sys.modules)"
    bare, full = (
        subprocess.run(
            [sys.executable, "-c", program + listing], capture_output=True, text=True, check=True
        )
        for program in ("pass", code)
    )
    return {*full.stdout.split()} - {*bare.stdout.split()}


def test_importing_the_planner_brings_the_data_it_takes_and_nothing_slow():
    brought = loaded_by("from thrifty import Budget, Problem, Spend, Step, StepOption, make_plan")
    assert {name for name in brought if name.startswith("thrifty.")} == {
        "thrifty.budget",
        *(
            f"thrifty.budget.{name}"
            for name in (
                *("cascade", "dollars", "errors", "limits", "money", "option", "validate"),
                *("plain_data", "resources", "secret_names", "spend", "step"),
            )
        ),
        "thrifty.planning",
        "thrifty.planning.engines",
        "thrifty.planning.problem",
    }
    assert not brought & {"datetime", "graphlib", "json", "logging", "typing_extensions"}
    assert not brought & HEAVY


def test_planning_by_hand_loads_no_heavy_module():
    brought = loaded_by("import thrifty.planning.planner, thrifty.planning.explanation")
    assert "thrifty.planning.solver.exact" in brought
    assert not brought & HEAVY


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_plans_the_easy_problem(engine):
    if engine == "milp":
        pytest.importorskip("highspy")
    problem = Problem((step("A", 100, 1.0), step("B", 100, 2.0)), Budget(150))
    plan = make_plan(problem, engine)
    assert [o.name for o in plan.chosen] == ["do B"]
    assert plan.engine == engine
    assert plan.value == 2.0


def test_an_unknown_engine_is_refused():
    with pytest.raises(InvalidInput, match="engine"):
        make_plan(Problem((), Budget()), "simplex")


def test_without_highs_auto_plans_and_milp_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    monkeypatch.setattr("thrifty.planning.solver.auto.is_installed", lambda: False)
    problem = Problem((step("A", 100, 1.0),), Budget(150))
    assert make_plan(problem).status == "optimal"
    with pytest.raises(InvalidInput, match="thrifty\\[solver\\]"):
        make_plan(problem, "milp")


def test_highs_prints_nothing(capfd):
    pytest.importorskip("highspy")
    make_plan(Problem((step("A", 100, 1.0),), Budget(150)), "milp")
    assert capfd.readouterr().out == ""
    assert milp.is_installed()


def test_a_deadline_returns_the_best_so_far_with_its_gap():
    problem = tutorial_like(Random(0), 100, max_steps=None)
    looks = count(step=1_000_000)
    plan = make_plan(problem, "exact", deadline_ms=10, clock_ns=lambda: next(looks))
    assert plan.status == "feasible"
    assert 0 < plan.value < plan.bound
    assert 0 < plan.gap < 0.1
    assert plan.elapsed_us == pytest.approx(10_000, abs=5_000)  # a millisecond for each look


def test_auto_hands_over_and_proves_what_exact_cannot_in_time(monkeypatch):
    pytest.importorskip("highspy")
    handed_over = Mock(side_effect=auto.finish_with_milp)
    monkeypatch.setattr("thrifty.planning.solver.auto.finish_with_milp", handed_over)
    problem = tutorial_like(Random(5_002), 500, limitless=True, risk=0.5)
    # Our clock stands still, and HiGHS has a day of its own.
    plan = make_plan(problem, deadline_ms=DEADLINE_MS_MAX, clock_ns=lambda: 0)
    assert handed_over.call_count == 1
    assert plan.status == "optimal"
    looks = count(step=10_000_000)
    cut = make_plan(problem, "exact", deadline_ms=200, clock_ns=lambda: next(looks))
    assert plan.value >= cut.value


@pytest.mark.parametrize("risk", [0.3, 0.5])
@pytest.mark.parametrize("gap", [0.002, 0.02])
def test_highs_stops_where_a_plan_is_good_enough_and_claims_no_more(risk, gap):
    pytest.importorskip("highspy")
    early = 0
    for seed in range(6):
        model = build_knapsack(tutorial_like(Random(seed), 30, limitless=True, risk=risk))
        best = model.plan_value(solve_exactly(model).items)
        found = milp.solve_by_milp(model, (), SolveLimits(gap=gap))
        assert model.is_plan(found.items)
        assert best <= found.bound
        assert model.plan_value(found.items) >= (1 - gap) * found.bound
        assert not found.is_proven
        early += model.plan_value(found.items) < best
    assert gap < 0.01 or early


@pytest.mark.parametrize("given", [{"max_steps": None}, {"limitless": True, "risk": 0.5}])
def test_ten_thousand_options_come_within_a_thousandth_without_highs(given, monkeypatch):
    monkeypatch.setattr("thrifty.planning.solver.auto.is_installed", lambda: False)
    problem = tutorial_like(Random(1), 5_000, **given)
    plan = make_plan(problem, clock_ns=lambda: 0)
    assert plan.gap <= 0.001


def test_a_required_step_is_in_or_the_plan_is_infeasible():
    small, large = step("A", 100, 0.1, required=True), step("B", 100, 2.0)
    assert chosen(Problem((small, large), Budget(100))) == ["A"]
    plan = make_plan(Problem((small, large), Budget(50)))
    assert plan.status == "infeasible"
    assert "'A'" in plan.note


def test_two_required_steps_that_do_not_fit_together_are_named():
    steps = (step("A", 100, 1.0, required=True), step("B", 100, 1.0, required=True))
    plan = make_plan(Problem(steps, Budget(150)))
    assert plan.status == "infeasible"
    assert plan.note == "the required steps do not fit in what is left: 'A', 'B'"


def test_a_requirement_comes_along_or_is_done():
    steps = (step("A", 100, 0.0), step("B", 100, 2.0, requires=("A",)))
    assert chosen(Problem(steps, Budget(200))) == ["A", "B"]
    assert chosen(Problem(steps[1:], Budget(100), done=steps[:1])) == ["B"]
    assert chosen(Problem(steps[1:], Budget(100))) == []


def test_redundancy_counts_finished_steps():
    old, new = step("A", 1, 1.0, topic="t"), step("B", 1, 0.15, topic="t")
    assert chosen(Problem((new,), Budget(9), done=(old,))) == []
    assert chosen(Problem((new,), Budget(9), done=(old,), diversity_penalty=0.1)) == ["B"]


def test_side_by_side_more_fits_under_a_deadline():
    steps = tuple(step(name, 100, 1.0) for name in "ABCD")
    problem = Problem(steps, Budget(max_latency_ms=200))
    assert len(chosen(problem)) == 2
    assert len(chosen(replace(problem, concurrency=2))) == 4


def test_a_revision_waits_for_every_section_even_with_places_free():
    steps = (step("A", 100, 2.0), step("R", 100, 1.0, role="revision"))
    problem = Problem(steps, Budget(max_latency_ms=150), concurrency=4)
    assert chosen(problem) == ["A"]
    assert chosen(replace(problem, left=Budget(max_latency_ms=200))) == ["A", "R"]


def test_less_risk_leaves_more_room():
    option = StepOption("do A", "A", "llm", "do it", Spend(100), 1.0, spread=0.25)
    problem = Problem((Step("A", (option,)),), Budget(110), risk=0.5)
    assert chosen(problem) == ["A"]
    assert chosen(replace(problem, risk=0.05)) == []


def test_residuals_replace_the_gaussian():
    option = StepOption("do A", "A", "llm", "do it", Spend(100), 1.0, spread=0.25)
    problem = Problem((Step("A", (option,)),), Budget(140), risk=0.3)
    assert chosen(problem) == ["A"]
    assert chosen(replace(problem, residuals=(2.0,) * 30)) == []


def test_forty_twins_are_planned_at_once():
    steps = tuple(step(f"s{i:02}", 100, 1.0) for i in range(40))
    plan = make_plan(Problem(steps, Budget(2000), max_steps=40))
    assert plan.value == 20.0
    assert plan.bound == 20.0
    assert plan.status == "optimal"
