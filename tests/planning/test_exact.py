"""The exact engine is exact: brute force, HiGHS and published optima agree with it."""

from dataclasses import replace
from itertools import product
from random import Random
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planning import mmkp
from tests.planning.brute import brute_force, rank
from tests.planning.families import tutorial_like
from tests.planning.instances import small_problem
from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning import auto, exact
from thrifty.planning.compiling import build_model
from thrifty.planning.core import Branch, Position, closed
from thrifty.planning.engines import make_plan
from thrifty.planning.exact import search_exactly
from thrifty.planning.milp import search_by_milp
from thrifty.planning.problem import Problem
from thrifty.planning.result import Stop
from thrifty.planning.rows import joined
from thrifty.planning.search import Search
from thrifty.planning.tail import Tail


def option(step: str) -> StepOption:
    return StepOption(f"do {step}", step, "llm", "do it", Spend(1), 1.0)


def check(problem: Problem) -> None:
    plan = make_plan(problem, "exact")
    best = brute_force(problem)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert (rank(problem, list(plan.chosen)), {o.name for o in plan.chosen}) == best
    assert plan.value == pytest.approx(-float(best[0][0]), abs=1e-9)
    assert plan.bound == plan.value


@pytest.mark.parametrize("block", range(20))
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
        model = build_model(problem)
        whole = search_exactly(model)
        for nodes in (1, 3, 10):
            cut = search_exactly(model, (), Stop(nodes_max=nodes))
            assert cut.bound >= model.worth(whole.items)
            assert not cut.is_plan or model.is_plan(cut.items)
            if cut.is_proven and whole.is_plan:
                assert model.worth(cut.items) == model.worth(whole.items)


def test_equals_brute_force_when_every_core_is_split(monkeypatch):
    monkeypatch.setattr("thrifty.planning.exact.STAGES", {0: ((1, 1),)})
    monkeypatch.setattr("thrifty.planning.exact.STAGE_BELOW", (1, 1))
    for seed in range(1500):
        check(small_problem(Random(seed), steps_max=5))


def test_equals_brute_force_when_every_problem_counts_as_large(monkeypatch):
    monkeypatch.setattr("thrifty.planning.exact.LARGE", 0)
    monkeypatch.setattr("thrifty.planning.exact.FEW", 0)
    for seed in range(1500):
        check(small_problem(Random(seed), steps_max=5))


@pytest.mark.parametrize("rounds", [0, 1, 4, 10])
def test_equals_brute_force_when_every_place_is_one_of_the_last(rounds, monkeypatch):
    denied = []

    def watched(tail, *asked):
        may = adds(tail, *asked)
        denied.append(not may)
        return may

    adds = Tail.adds
    monkeypatch.setattr("thrifty.planning.tail.Tail.adds", watched)
    monkeypatch.setattr("thrifty.planning.walk.FEW", 0)
    monkeypatch.setattr("thrifty.planning.walk.LAST", (100, 1, 100))
    monkeypatch.setattr("thrifty.planning.exact.STAGES", {0: ((rounds, 15_000),)})
    for seed in range(1500):
        check(small_problem(Random(seed), steps_max=6))
    assert sum(denied) > 20


def test_equals_brute_force_when_bounds_always_look_at_the_leeway(monkeypatch):
    """Problems whose limits bind; every bound looks at how far margins can differ."""
    looks = Mock(side_effect=exact.leeway)
    monkeypatch.setattr("thrifty.planning.exact.leeway", looks)
    monkeypatch.setattr("thrifty.planning.exact.CLEARER", 0.001)
    monkeypatch.setattr("thrifty.planning.exact.STAGES", {0: ((4, 1), (8, 15_000))})
    for seed in range(400):
        random = Random(seed)
        limit, risk = random.choice((None, 4)), random.choice((0.01, 0.1, 0.3))
        check(tutorial_like(random, 6, max_steps=limit, arcs=random.choice((0, 1)), risk=risk))
    for seed in range(1_500):
        check(small_problem(Random(seed), steps_max=5))
    assert looks.call_count > 500


@pytest.fixture
def in_blocks(monkeypatch) -> None:
    """Every core counts as crowded and is walked in short blocks."""
    monkeypatch.setattr("thrifty.planning.walk.LARGE", 0)
    monkeypatch.setattr("thrifty.planning.walk.BLOCK", 2)
    monkeypatch.setattr("thrifty.planning.exact.LARGE", 0)
    monkeypatch.setattr("thrifty.planning.exact.RENEWED", 0)
    monkeypatch.setattr("thrifty.planning.exact.SHRUNK", dict.fromkeys((False, True), 0.7))


@pytest.mark.usefixtures("in_blocks")
def test_equals_brute_force_when_every_core_is_crowded():
    for seed in range(3_000):
        check(replace(small_problem(Random(seed), steps_max=6), max_steps=1 + seed % 4))


@pytest.mark.usefixtures("in_blocks")
@pytest.mark.parametrize("risk", [0.3, 0.5])
def test_only_blocks_of_which_nothing_fits_are_passed_over(risk, monkeypatch):
    passed = []

    def watched(search, place, rooms, variances):
        fitting = find(search, place, rooms, variances)
        rows = search.rows
        for before in search.walk.places[place:fitting]:
            for branch in before.branches:
                left = rooms - branch.load
                fits = left & rows.guards == rows.guards
                assert not (fits and rows.hold(left, joined(variances, branch.item)))
        passed.append(fitting - place)
        return fitting

    find = Search._fitting
    monkeypatch.setattr(Search, "_fitting", watched)
    for seed in range(20):
        search_exactly(build_model(tutorial_like(Random(seed), 40, correlated=True, risk=risk)))
    assert sum(passed) > 1_000


@pytest.mark.usefixtures("in_blocks")
@pytest.mark.parametrize("risk", [0.3, 0.5])
def test_a_crowded_core_and_highs_agree(risk, monkeypatch):
    """Two prices and a plan made in passing leave much of 400 options open."""
    pytest.importorskip("highspy")
    monkeypatch.setattr("thrifty.planning.exact.SIFTING", (0, 2, 0))
    monkeypatch.setattr("thrifty.planning.exact.STAGES_SHORT", {0: ((2, 1_000_000),)})
    for max_steps, seed in product((1, 3, 6), range(4)):
        given = {"max_steps": max_steps, "correlated": seed % 2 == 0, "risk": risk}
        model = build_model(tutorial_like(Random(seed), 200, **given))
        found, other = search_exactly(model), search_by_milp(model)
        assert found.is_proven
        assert other.is_proven
        assert model.worth(found.items) == model.worth(other.items)


def test_equals_brute_force_when_highs_gets_every_core(monkeypatch):
    pytest.importorskip("highspy")
    monkeypatch.setattr("thrifty.planning.exact.STAGES", {0: ((4, 0),)})
    monkeypatch.setattr("thrifty.planning.auto.nodes_more", lambda *_: 0)
    handed_over = Mock(side_effect=auto.hand_over)
    monkeypatch.setattr("thrifty.planning.auto.hand_over", handed_over)
    monkeypatch.setattr("thrifty.planning.exact.CLEARER", 0.001)
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
    assert len(build_model(Problem(tuple(chain), Budget(100), max_steps=3)).items) == 3
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
        found = search_exactly(instance.model)
        assert found.is_proven
        assert instance.model.is_plan(found.items)
        assert instance.model.worth(found.items) == found.bound == instance.optimum, instance.name


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
        model = build_model(Problem(tuple(steps), budget, max_steps=4, risk=0.5))
        exact, milp = search_exactly(model), search_by_milp(model)
        assert exact.is_proven
        assert milp.bound >= model.worth(exact.items)
        assert not milp.is_proven or model.worth(milp.items) == model.worth(exact.items)
        proven += milp.is_proven
    assert proven < 60  # where all values are alike, the unit is large and proofs are proofs


def test_milp_agrees_wherever_both_prove():
    pytest.importorskip("highspy")
    for seed in range(400):
        model = build_model(small_problem(Random(seed)))
        exact, milp = search_exactly(model), search_by_milp(model)
        assert exact.is_proven
        assert milp.is_proven
        assert exact.is_plan == milp.is_plan
        assert model.worth(exact.items) == model.worth(milp.items)


def test_a_search_begins_with_what_is_surest():
    steps = tuple(Step(str(i), (option(str(i)),)) for i in range(4))
    worths = ((5.0, 4.0), (3.0,), (-1.0,), (0.0, -9.0))
    item = build_model(Problem(steps, Budget(100))).items[0][0]
    positions = [
        Position(i, tuple(Branch(worth, worth, 0, item) for worth in group), needed=i == 3)
        for i, group in enumerate(worths)
    ]
    for max_steps, order in ((4, [3, 1, 0, 2]), (3, [3, 0, 1, 2])):
        core = closed(build_model(Problem(steps, Budget(100), max_steps=max_steps)), positions)
        assert core
        assert [position.step for position in core] == order
