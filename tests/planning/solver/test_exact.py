"""The exact engine is exact: brute force, HiGHS and published optima agree with it."""

from dataclasses import replace
from random import Random
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.long_cases import long_but
from tests.planning import mmkp
from tests.planning.brute import brute_force, rank
from tests.planning.families import tutorial_like
from tests.planning.instances import small_problem
from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.solver import auto, exact
from thrifty.planning.solver.branch_and_bound import BranchAndBound
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.core import CoreItem, CoreStep, close_requirements
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.solver.milp import solve_by_milp
from thrifty.planning.solver.packed_rows import add_variances
from thrifty.planning.solver.solve_result import SolveLimits
from thrifty.planning.solver.suffix_bounds import SuffixBounds

BUSY_S = 1_200
"""For tests that search a lot: many times what they take where nothing else runs."""


def option(step: str) -> StepOption:
    return StepOption(f"do {step}", step, "llm", "do it", Spend(1), 1.0)


def check(problem: Problem) -> None:
    # A standing clock: no machine is so busy that the deadline passes.
    plan = make_plan(problem, "exact", clock_ns=lambda: 0)
    best = brute_force(problem)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert (rank(problem, list(plan.chosen)), {o.name for o in plan.chosen}) == best
    assert plan.value == pytest.approx(-float(best[0][0]), abs=1e-9)
    assert plan.bound == plan.value


@pytest.mark.parametrize("block", long_but(range(20), *range(4)))
def test_equals_brute_force_on_twenty_thousand_seeded_problems(block):
    for seed in range(block * 1000, (block + 1) * 1000):
        check(small_problem(Random(seed), steps_max=4))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_equals_brute_force_on_problems_that_hypothesis_looks_for(random):
    check(small_problem(random, steps_max=6))


def test_splitting_and_node_limits_keep_it_exact():
    """Cores split at once, so that the branching in the large is exercised too."""
    for seed in range(300):
        problem = small_problem(Random(seed), steps_max=5)
        model = build_knapsack(problem)
        whole = solve_exactly(model)
        for nodes in (1, 3, 10):
            cut = solve_exactly(model, SolveLimits(nodes_max=nodes))
            assert cut.bound >= model.plan_value(whole.items)
            assert not cut.is_plan or model.is_plan(cut.items)
            if cut.is_proven and whole.is_plan:
                assert model.plan_value(cut.items) == model.plan_value(whole.items)


def test_equals_brute_force_when_every_core_is_split(monkeypatch):
    monkeypatch.setattr("thrifty.planning.solver.exact.STAGES", {0: ((1, 1),)})
    monkeypatch.setattr("thrifty.planning.solver.exact.STAGE_SUBPROBLEM", (1, 1))
    for seed in range(1500):
        check(small_problem(Random(seed), steps_max=5))


def test_equals_brute_force_when_every_problem_counts_as_large(monkeypatch):
    monkeypatch.setattr("thrifty.planning.solver.exact.ITEMS_LARGE", 0)
    monkeypatch.setattr("thrifty.planning.solver.exact.FEW", 0)
    for seed in range(1500):
        check(small_problem(Random(seed), steps_max=5))


@pytest.mark.long
@pytest.mark.parametrize("rounds", [0, 1, 4, 10])
def test_equals_brute_force_when_every_place_is_one_of_the_last(rounds, monkeypatch):
    denied = []

    def watched(bounds, *asked):
        may = adds(bounds, *asked)
        denied.append(not may)
        return may

    adds = SuffixBounds.can_add
    monkeypatch.setattr("thrifty.planning.solver.suffix_bounds.SuffixBounds.can_add", watched)
    monkeypatch.setattr("thrifty.planning.solver.walk.FEW", 0)
    monkeypatch.setattr("thrifty.planning.solver.walk.LAST", (100, 1, 100))
    monkeypatch.setattr("thrifty.planning.solver.exact.STAGES", {0: ((rounds, 15_000),)})
    for seed in range(1500):
        check(small_problem(Random(seed), steps_max=6))
    assert sum(denied) > 20


@pytest.mark.timeout(BUSY_S)
@pytest.mark.parametrize("block", long_but(range(5), 0))
def test_equals_brute_force_when_bounds_always_look_at_the_leeway(block, monkeypatch):
    """Problems whose limits bind; every bound looks at how far margins can differ."""
    looks = Mock(side_effect=exact.leeway)
    monkeypatch.setattr("thrifty.planning.solver.exact.leeway", looks)
    monkeypatch.setattr("thrifty.planning.solver.exact.TIGHTENED_SHARE_MIN", 0.001)
    monkeypatch.setattr("thrifty.planning.solver.exact.STAGES", {0: ((4, 1), (8, 15_000))})
    for seed in range(block * 80, (block + 1) * 80):
        random = Random(seed)
        limit, risk = random.choice((None, 4)), random.choice((0.01, 0.1, 0.3))
        check(tutorial_like(random, 6, max_steps=limit, arcs=random.choice((0, 1)), risk=risk))
    for seed in range(block * 300, (block + 1) * 300):
        check(small_problem(Random(seed), steps_max=5))
    assert looks.call_count > 100


@pytest.fixture
def in_blocks(monkeypatch) -> None:
    """Every core counts as crowded and is walked in short blocks."""
    monkeypatch.setattr("thrifty.planning.solver.walk.LARGE", 0)
    monkeypatch.setattr("thrifty.planning.solver.walk.BLOCK", 2)
    monkeypatch.setattr("thrifty.planning.solver.exact.ITEMS_LARGE", 0)
    monkeypatch.setattr("thrifty.planning.solver.exact.REPRICED_ITEMS_MIN", 0)
    monkeypatch.setattr(
        "thrifty.planning.solver.exact.REPRICED_SHARE_MAX", dict.fromkeys((False, True), 0.7)
    )


@pytest.mark.timeout(BUSY_S)
@pytest.mark.usefixtures("in_blocks")
@pytest.mark.parametrize("block", long_but(range(5), 0))
def test_equals_brute_force_when_every_core_is_crowded(block):
    for seed in range(block * 600, (block + 1) * 600):
        check(replace(small_problem(Random(seed), steps_max=6), max_steps=1 + seed % 4))


@pytest.mark.usefixtures("in_blocks")
@pytest.mark.parametrize("risk", [0.3, 0.5])
def test_only_blocks_of_which_nothing_fits_are_passed_over(risk, monkeypatch):
    passed = []

    def watched(search, place, rooms, variances):
        fitting = find(search, place, rooms, variances)
        rows = search.packed_rows
        for before in search.walk.places[place:fitting]:
            for branch in before.branches:
                left = rooms - branch.packed_amounts
                fits = left & rows.guard_bits == rows.guard_bits
                assert not (fits and rows.has_room_for(left, add_variances(variances, branch.item)))
        passed.append(fitting - place)
        return fitting

    find = BranchAndBound._first_fitting_place
    monkeypatch.setattr(BranchAndBound, "_first_fitting_place", watched)
    for seed in range(20):
        solve_exactly(build_knapsack(tutorial_like(Random(seed), 40, correlated=True, risk=risk)))
    assert sum(passed) > 1_000


@pytest.mark.timeout(BUSY_S)
@pytest.mark.usefixtures("in_blocks")
@pytest.mark.parametrize("max_steps", long_but([1, 3, 6], 3))
@pytest.mark.parametrize("risk", [0.3, 0.5])
def test_a_crowded_core_and_highs_agree(risk, max_steps, monkeypatch):
    """Two prices and a plan made in passing leave much of 400 options open."""
    pytest.importorskip("highspy")
    monkeypatch.setattr("thrifty.planning.solver.exact.SAMPLE_EFFORT", (0, 2, 0))
    monkeypatch.setattr("thrifty.planning.solver.exact.STAGES_SHORT", {0: ((2, 1_000_000),)})
    for seed in range(4):
        given = {"max_steps": max_steps, "correlated": seed % 2 == 0, "risk": risk}
        model = build_knapsack(tutorial_like(Random(seed), 200, **given))
        found, other = solve_exactly(model), solve_by_milp(model)
        assert found.is_proven
        assert other.is_proven
        assert model.plan_value(found.items) == model.plan_value(other.items)


@pytest.mark.long
def test_equals_brute_force_when_highs_gets_every_core(monkeypatch):
    pytest.importorskip("highspy")
    monkeypatch.setattr("thrifty.planning.solver.exact.STAGES", {0: ((4, 0),)})
    monkeypatch.setattr("thrifty.planning.solver.auto.extra_nodes", lambda *_: 0)
    handed_over = Mock(side_effect=auto.finish_with_milp)
    monkeypatch.setattr("thrifty.planning.solver.auto.finish_with_milp", handed_over)
    monkeypatch.setattr("thrifty.planning.solver.exact.TIGHTENED_SHARE_MIN", 0.001)
    small = [replace(small_problem(Random(s), steps_max=6), concurrency=1) for s in range(400)]
    bound = [tutorial_like(Random(s), 6, max_steps=None, risk=0.1) for s in range(100)]
    for problem in (*small, *bound):
        plan, best = make_plan(problem), brute_force(problem)
        if best is None:
            assert plan.status == "infeasible"
        else:
            assert plan.status == "optimal"
            assert plan.value == pytest.approx(-float(best[0][0]), abs=1e-9)
    assert handed_over.call_count > 20
    margins = [part.margins for (_, part), _ in handed_over.call_args_list]
    assert sum(any(low > 0.0 for low, _ in known) for known in margins) > 20


def test_a_step_that_needs_more_steps_than_a_plan_may_have_is_left_out():
    chain = [Step(str(i), (option(str(i)),), requires=(str(i - 1),) if i else ()) for i in range(5)]
    assert len(build_knapsack(Problem(tuple(chain), Budget(100), max_steps=3)).items) == 3
    required = (*chain[:4], replace(chain[4], required=True))
    assert make_plan(Problem(required, Budget(100), max_steps=3)).status == "infeasible"


def test_two_thousand_required_steps_leave_nothing_to_choose():
    steps = tuple(Step(f"{i:04}", (option(f"{i:04}"),), required=True) for i in range(2_000))
    for engine in ("exact", "auto"):
        plan = make_plan(Problem(steps, Budget(10_000), max_steps=2_000), engine)
        assert plan.status == "optimal"
        assert len(plan.chosen) == 2_000


@pytest.mark.parametrize("number", mmkp.SETS)
def test_reaches_the_published_optimum_of_every_mmkp_instance(number):
    instances = mmkp.read(number)
    assert len(instances) == 30
    for instance in instances:
        found = solve_exactly(instance.model)
        assert found.is_proven
        assert instance.model.is_plan(found.items)
        assert instance.model.plan_value(found.items) == found.bound == instance.optimum, (
            instance.name
        )


def test_milp_proves_nothing_that_is_beyond_its_precision():
    """Values of 100,000 that differ in the last millionths."""
    proven = 0
    for seed in range(60):
        random = Random(seed)
        steps = []
        for i in range(random.randint(3, 7)):
            options = tuple(
                StepOption(
                    f"o{i}.{j}",
                    f"s{i}",
                    "llm",
                    "do it",
                    Spend(random.randint(1, 9), random.randint(0, 9)),
                    round(100_000.0 + random.randint(-9, 9) * 1e-5, 6),
                    spread=0.0,
                )
                for j in range(random.randint(1, 3))
            )
            steps.append(Step(f"s{i}", options))
        budget = Budget(random.randint(5, 30), None, None, None)
        model = build_knapsack(Problem(tuple(steps), budget, max_steps=4, risk=0.5))
        exact, milp = solve_exactly(model), solve_by_milp(model)
        assert exact.is_proven
        assert milp.bound >= model.plan_value(exact.items)
        assert not milp.is_proven or model.plan_value(milp.items) == model.plan_value(exact.items)
        proven += milp.is_proven
    assert proven < 60  # where all values are alike, the unit is large and proofs are proofs


def test_milp_agrees_wherever_both_prove():
    pytest.importorskip("highspy")
    for seed in range(400):
        model = build_knapsack(small_problem(Random(seed)))
        exact, milp = solve_exactly(model), solve_by_milp(model)
        assert exact.is_proven
        assert milp.is_proven
        assert exact.is_plan == milp.is_plan
        assert model.plan_value(exact.items) == model.plan_value(milp.items)


def test_a_search_begins_with_what_is_surest():
    steps = tuple(Step(str(i), (option(str(i)),)) for i in range(4))
    worths = ((5.0, 4.0), (3.0,), (-1.0,), (0.0, -9.0))
    item = build_knapsack(Problem(steps, Budget(100))).items[0][0]
    positions = [
        CoreStep(i, tuple(CoreItem(worth, worth, 0, item) for worth in group), needed=i == 3)
        for i, group in enumerate(worths)
    ]
    for max_steps, order in ((4, [3, 1, 0, 2]), (3, [3, 0, 1, 2])):
        core = close_requirements(
            build_knapsack(Problem(steps, Budget(100), max_steps=max_steps)), positions
        )
        assert core
        assert [position.step for position in core] == order
