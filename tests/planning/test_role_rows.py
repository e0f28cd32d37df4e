"""One answer or else sections, and material for readers: in plans, and in what is told of them."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.long_cases import long_but
from tests.planning.brute import (
    brute_force,
    excludes,
    is_plan,
    is_unread,
    keeps_roles,
    plans_by_increase,
    rank,
)
from tests.planning.instances import budget, role_problem, small_problem
from thrifty.budget import Budget, Plan, Spend, Step, StepOption
from thrifty.planning import best_case
from thrifty.planning.best_case import find_best_case
from thrifty.planning.engines import ENGINES, make_plan
from thrifty.planning.explanation import least_increase, required_increases, shadow_prices
from thrifty.planning.frontier import frontier, frontier_point
from thrifty.planning.problem import STEPS_LIMIT, Problem
from thrifty.planning.raise_budget import find_budget_raise
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.exact import solve_exactly
from thrifty.planning.upgrade import find_upgrades

LAWS = settings(max_examples=100, deadline=None, derandomize=True)


def step(name: str, value: float, tokens: int = 10, **fields: object) -> Step:
    option = StepOption(name, name, "llm", "do it", Spend(tokens), value, spread=0.0)
    return Step(name, (option,), **fields)


def answer(name: str, value: float, tokens: int = 10, **fields: object) -> Step:
    return step(name, value, tokens, role="answer", **fields)


def material(name: str, value: float, tokens: int = 10, **fields: object) -> Step:
    return step(name, value, tokens, role="material", **fields)


def plan_of(*steps: Step, tokens: int = 100, engine: str = "exact", **more: object) -> Plan:
    return make_plan(Problem(steps, Budget(tokens), risk=0.5, **more), engine)


def names(plan: Plan) -> set[str]:
    return {option.step for option in plan.chosen}


def reasons(plan: Plan) -> dict[str, str]:
    return {left.option: left.reason for left in plan.left_out}


def planned(problem: Problem, engine: str = "exact") -> Plan:
    """By a standing clock: no machine is so busy that the deadline passes."""
    return make_plan(problem, engine, clock_ns=lambda: 0)


# Brute force


@pytest.mark.parametrize("engine", ["exact", "auto"])
@pytest.mark.parametrize("block", long_but(range(10), 0))
def test_the_best_plan_is_that_of_brute_force(engine, block):
    """With every role, required and not, done steps, schedules, margins, topics and limits."""
    for seed in range(block * 400, (block + 1) * 400):
        problem = role_problem(Random(seed), steps_max=4)
        plan, best = planned(problem, engine), brute_force(problem)
        if best is None:
            assert plan.status == "infeasible", seed
            continue
        assert plan.status == "optimal", seed
        assert (rank(problem, list(plan.chosen)), {o.name for o in plan.chosen}) == best, seed
        assert plan.bound == plan.value


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_it_is_on_problems_that_hypothesis_looks_for(random):
    problem = role_problem(random, steps_max=5)
    plan, best = planned(problem), brute_force(problem)
    assert (best is None) == (plan.status == "infeasible")
    assert best is None or {option.name for option in plan.chosen} == best[1]


@pytest.mark.parametrize("block", long_but(range(5), 0))
def test_highs_proves_the_same_value(block):
    pytest.importorskip("highspy")
    for seed in range(block * 200, (block + 1) * 200):
        problem = role_problem(Random(seed), steps_max=4)
        plan, best = planned(problem, "milp"), brute_force(problem)
        assert (best is None) == (plan.status == "infeasible"), seed
        if best:
            assert plan.value == pytest.approx(-float(best[0][0]), abs=1e-9), seed
            assert plan.bound >= plan.value
            assert is_plan(problem, list(plan.chosen))


def test_a_beam_makes_plans_and_claims_no_more():
    for seed in range(300):
        problem = role_problem(Random(seed), steps_max=4)
        plan, best = planned(problem, "beam"), brute_force(problem)
        if plan.status != "infeasible":
            assert best
            assert is_plan(problem, list(plan.chosen)), seed
            assert plan.value <= -float(best[0][0]) + 1e-9 <= plan.bound + 2e-9


@pytest.mark.parametrize("cases", [1, 3])
def test_a_search_that_is_cut_short_has_a_plan_and_a_bound(cases, monkeypatch):
    monkeypatch.setattr(best_case, "CASES_MAX", cases)
    statuses = Counter()
    for seed in range(300):
        problem = replace(role_problem(Random(seed), steps_max=5), concurrency=1)
        plan, best = planned(problem), brute_force(problem)
        statuses[plan.status] += 1
        if best is None:
            assert plan.status == "infeasible"
            continue
        most = -float(best[0][0])
        assert is_plan(problem, list(plan.chosen)), seed
        assert plan.value - 1e-9 <= most <= plan.bound + 1e-9, seed
        assert plan.status != "optimal" or plan.value == pytest.approx(most)
    assert statuses["feasible"] or cases > 1, statuses


def test_past_its_deadline_every_answer_has_been_looked_at():
    steps = [material(f"m{i}", 5.0, reads=()) for i in range(6)]
    sections = [step(f"s{i}", 1.0, 30, reads=(f"m{i}", f"m{(i + 1) % 6}")) for i in range(6)]
    problem = Problem((*steps, *sections, answer("Answer", 4.0)), Budget(65), risk=0.5)
    looks = iter(range(0, 10**12, 10**9))
    plan = make_plan(problem, "exact", deadline_ms=1, clock_ns=lambda: next(looks))
    assert plan.status == "feasible"
    assert plan.value > 0
    best = planned(problem)
    assert best.status == "optimal"
    assert plan.value <= best.value <= plan.bound


# What a problem without such roles costs


def solved_models(problem: Problem) -> list:
    models = []

    def solve(model, limits):
        models.append(model)
        return solve_exactly(model, limits)

    find_best_case((problem,), solve)
    return models


def test_where_no_row_can_bind_the_problem_is_solved_once_as_it_is():
    for seed in range(100):
        problem = small_problem(Random(seed))
        assert solved_models(problem) == [build_knapsack(problem)]
    alone = Problem((answer("Answer", 5.0),), Budget(100))
    acting = Problem((step("A", 1.0), material("Acts outside", 1.0)), Budget(100))
    for problem in (alone, acting):
        assert solved_models(problem) == [build_knapsack(problem)]


def test_material_that_is_read_takes_no_further_look():
    facts, reader = material("Facts", 2.0), answer("Answer", 5.0, reads=("Facts",))
    assert len(solved_models(Problem((facts, reader), Budget(100)))) == 1


def test_the_best_of_several_problems_is_the_best_of_the_best():
    for seed in range(100):
        problems = [role_problem(Random(3 * seed + i), steps_max=3) for i in range(3)]
        best = find_best_case(problems, solve_exactly)
        plans = [plan for plan in map(planned, problems) if plan.status != "infeasible"]
        assert best.is_plan == bool(plans)
        assert best.is_proven
        if plans:
            assert best.found.value_micro / 10**6 == max(plan.value for plan in plans)


# Laws


@LAWS
@given(st.randoms(use_true_random=False), st.integers(0, 3), st.integers(0, 30))
def test_more_of_a_limit_never_lowers_the_value(random, place, more):
    problem = role_problem(random)
    limits = list(problem.left.limits)
    richer = replace(problem, max_steps=problem.max_steps + 1)
    if limits[place] is not None:
        limits[place] += more
        richer = replace(problem, left=budget(*limits))
    before, after = planned(problem), planned(richer)
    assert before.status == "infeasible" or after.value >= before.value


@LAWS
@given(st.randoms(use_true_random=False))
def test_one_more_option_never_lowers_the_value(random):
    problem = role_problem(random)
    at = random.randrange(len(problem.steps))
    chosen = problem.steps[at]
    spend = Spend(*(random.randint(0, 9) for _ in range(3)))
    more = StepOption("more", chosen.name, "llm", "do it", spend, random.random() * 3)
    richer = chosen.with_options((*chosen.options, more))
    steps = (*problem.steps[:at], richer, *problem.steps[at + 1 :])
    before, after = planned(problem), planned(replace(problem, steps=steps))
    assert before.status == "infeasible" or after.value >= before.value


@LAWS
@given(st.randoms(use_true_random=False))
def test_material_that_is_not_in_the_plan_can_go(random):
    problem = role_problem(random)
    plan = planned(problem)
    material = {s.name for s in (*problem.steps, *problem.done) if s.role == "material"}
    spare = [
        s
        for s in problem.steps
        if s.name in material - names(plan) - {s.name for s in problem.done}
        # Else what it reads might lose its only reader, and be there for itself.
        if not material.intersection(s.follows) and not s.required
    ]
    if spare:
        steps = tuple(s for s in problem.steps if s is not spare[0])
        assert planned(replace(problem, steps=steps)).chosen == plan.chosen


@LAWS
@given(st.randoms(use_true_random=False), st.sampled_from(["exact", "auto", "beam"]))
def test_order_has_no_influence(random, engine):
    problem = role_problem(random)
    steps = random.sample(problem.steps, len(problem.steps))
    other = replace(problem, steps=tuple(steps), done=problem.done[::-1])
    assert planned(problem, engine).chosen == planned(other, engine).chosen


@LAWS
@given(st.integers(0, 10**9), st.sampled_from((2, 3, 1000)))
def test_scaling_all_amounts_changes_nothing(seed, scale):
    plain, scaled = role_problem(Random(seed)), role_problem(Random(seed), scale=scale)
    assert names(planned(plain)) == names(planned(scaled))


def test_the_same_input_gives_an_equal_plan():
    for seed in range(100):
        problem = role_problem(Random(seed))
        assert make_plan(problem).to_state() == make_plan(problem).to_state()


# One answer or else sections


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_has_an_answer_or_sections(engine):
    if engine == "milp":
        pytest.importorskip("highspy")
    sections = step("A", 3.0), step("B", 3.0)
    assert names(plan_of(answer("Answer", 5.0), *sections, engine=engine)) == {"A", "B"}
    assert names(plan_of(answer("Answer", 7.0), *sections, engine=engine)) == {"Answer"}
    assert names(plan_of(answer("One", 7.0), answer("Two", 7.5), engine=engine)) == {"Two"}


def test_what_is_required_need_not_be_there_beside_an_answer():
    body = step("Body", 3.0, 50, required=True)
    assert names(plan_of(answer("Answer", 1.0), body)) == {"Body"}
    assert names(plan_of(answer("Answer", 1.0), body, tokens=40)) == {"Answer"}
    assert names(plan_of(answer("Answer", 5.0), body)) == {"Answer"}


def test_an_answer_that_is_required_is_there():
    best = answer("Answer", 1.0, required=True)
    assert names(plan_of(best, answer("Other", 5.0), step("A", 9.0))) == {"Answer"}
    plan = plan_of(best, answer("Other", 5.0, required=True))
    assert plan.status == "infeasible"
    assert plan.note == "a plan has one answer, and 2 are required: 'Answer', 'Other'"
    assert {left.short_of for left in plan.left_out} == {()}


def test_where_neither_fits_both_are_told():
    body = step("Body", 3.0, 50, required=True)
    plan = plan_of(answer("Answer", 1.0, 40), body, tokens=30)
    assert plan.note == (
        "the required step 'Body' does not fit in what is left: 'Body' is 20 tokens short; "
        "nor does a plan with an answer: 'Answer' is 10 tokens short"
    )


def test_a_revision_stands_beside_an_answer_that_it_names():
    polish = step("Polish", 1.0, role="revision")
    assert names(plan_of(answer("Answer", 5.0), polish)) == {"Answer"}
    named = replace(polish, reads=("Answer",))
    assert names(plan_of(answer("Answer", 5.0), named)) == {"Answer", "Polish"}
    assert names(plan_of(step("A", 5.0), polish)) == {"A", "Polish"}


def test_what_is_done_decides():
    sections = step("A", 3.0), step("B", 3.0, required=True)
    done = answer("Answer", 5.0)
    plan = plan_of(*sections, answer("Other", 9.0), done=(done,))
    assert (plan.chosen, plan.status, plan.note) == ((), "optimal", "")
    assert set(reasons(plan).values()) == {"the answer 'Answer' is done, which is the whole result"}
    body, late = sections[1], answer("Answer", 2.0)
    assert names(plan_of(body, late, done=(sections[0],))) == {"B"}


def test_an_answer_takes_the_place_of_sections_that_are_done():
    """What it is worth beside them is for who makes the problem to say."""
    done, body = step("A", 3.0), step("B", 3.0, 50, required=True)
    assert names(plan_of(body, answer("Answer", 5.0), done=(done,))) == {"Answer"}
    assert names(plan_of(body, answer("Answer", 2.0), done=(done,), tokens=40)) == {"Answer"}
    plan = plan_of(body, answer("Answer", 2.0), done=(done,))
    assert reasons(plan) == {"Answer": "an answer is the whole result, and the plan has 'B'"}


def test_what_is_required_and_lost_leaves_answers_alone():
    other, body = step("A", 9.0), step("B", 3.0, required=True)
    plan = plan_of(other, answer("Answer", 1.0), lost=(body,))
    assert (names(plan), plan.status) == ({"Answer"}, "optimal")
    assert names(plan_of(other, answer("Answer", 1.0), done=(other,), lost=(body,))) == {"Answer"}
    few = plan_of(other, answer("Answer", 1.0, 40), lost=(body,), tokens=30)
    assert few.note == (
        "nobody can do what is required: 'B'; "
        "nor does a plan with an answer: 'Answer' is 10 tokens short"
    )
    assert plan_of(other, lost=(body,)).note == "nobody can do what is required: 'B'"
    assert names(plan_of(other, lost=(replace(body, required=False),))) == {"A"}
    kept = material("C", 1.0, required=True)
    assert plan_of(answer("Answer", 1.0), lost=(kept,)).status == "infeasible"


# Material for readers


@pytest.mark.parametrize("engine", ENGINES)
def test_material_is_there_with_a_reader_and_not_without(engine):
    if engine == "milp":
        pytest.importorskip("highspy")
    facts, reader = material("Facts", 5.0), step("A", 0.5, 50, reads=("Facts",))
    assert names(plan_of(facts, reader, engine=engine)) == {"Facts", "A"}
    assert names(plan_of(facts, reader, engine=engine, tokens=55)) == {"A"}
    assert names(plan_of(facts, reader, engine=engine, tokens=45)) == set()


def test_material_for_material_needs_the_last_reader():
    query = material("Query", 5.0)
    found = material("Found", 5.0, reads=("Query",))
    last = answer("Answer", 1.0, 90, reads=("Found",))
    assert names(plan_of(query, found, last)) == {"Found", "Answer"}
    plan = plan_of(query, found, last, tokens=80)
    assert names(plan) == set()
    assert reasons(plan)["Query"] == "nobody in the plan reads it"


def test_material_that_nobody_ever_reads_may_act_outside():
    plan = plan_of(material("Book the room", 2.0), answer("Answer", 1.0))
    assert names(plan) == {"Book the room", "Answer"}


def test_material_that_is_required_is_there_read_or_not():
    book = material("Book", 2.0, required=True)
    assert names(plan_of(book, step("A", 1.0, 95, reads=("Book",)))) == {"Book"}


def test_material_whose_readers_are_done_is_of_no_more_use():
    plan = plan_of(material("Facts", 5.0), done=(step("A", 1.0, reads=("Facts",)),))
    assert names(plan) == set()
    assert reasons(plan) == {"Facts": "nobody is left to read it"}
    plan = plan_of(material("Facts", 5.0), lost=(step("A", 1.0, reads=("Facts",)),))
    assert reasons(plan) == {"Facts": "nobody is left to read it"}


# Explanations


def test_each_reason_of_a_role_is_true():
    seen = Counter()
    for seed in range(800):
        problem = role_problem(Random(seed), steps_max=5)
        plan = planned(problem)
        if plan.status == "infeasible":
            continue
        by_name = {s.name: s for s in problem.steps}
        options = {o.name: o for s in problem.steps for o in s.options}
        present = [by_name[option.step] for option in plan.chosen]
        answers = [s for s in (*present, *problem.done) if s.role == "answer"]
        for left in plan.left_out:
            of, chosen = by_name[left.step], list(plan.chosen)
            with_it = [*(o for o in chosen if o.step != of.name), options[left.option]]
            assert "did not come to it" not in left.reason, seed
            if left.reason.endswith("which is the whole result"):
                assert excludes(answers, of), seed
                assert repr(answers[0].name) in left.reason or len(answers) > 1
                seen["answer"] += 1
            elif left.reason.startswith("an answer is the whole result"):
                assert of.role == "answer"
                assert not keeps_roles(problem, with_it), seed
                seen["sections"] += 1
            elif left.reason in ("nobody in the plan reads it", "nobody is left to read it"):
                assert is_unread(problem, of, [*present, of]), seed
                seen[left.reason] += 1
            elif "needs" not in left.reason and "requires" not in left.reason:
                # What is told of limits or of its step would be no reason where a role is one.
                is_large = "even alone" in left.reason or left.reason == "the step is done"
                assert is_large or keeps_roles(problem, with_it), (seed, left)
    assert len(seen) == 4, seen
    assert min(seen.values()) > 5, seen


def test_limits_are_told_that_keep_a_better_answer_or_better_sections_out():
    sections = step("A", 4.0, 60), step("B", 4.0, 60)
    plan = plan_of(answer("Answer", 6.0, 50), *sections)
    assert names(plan) == {"Answer"}
    assert {left.option: left.short_of for left in plan.left_out} == {
        "A": ("tokens",),
        "B": ("tokens",),
    }
    worse = plan_of(answer("Answer", 9.0, 50), *sections)
    assert {left.short_of for left in worse.left_out} == {()}
    few = plan_of(answer("Answer", 6.0, 50), *sections, tokens=200, max_steps=1)
    assert {left.short_of for left in few.left_out} == {(STEPS_LIMIT,)}


def test_without_the_limits_that_are_told_a_better_plan_fits():
    told = 0
    for seed in range(1_600):
        problem = replace(role_problem(Random(seed), steps_max=4), done=())
        plan = planned(problem)
        limits = {left.short_of for left in plan.left_out if "whole result" in left.reason} - {()}
        if plan.status == "infeasible" or not limits:
            continue
        (short_of,) = limits
        lifted = [
            None if name in short_of else limit
            for name, limit in zip(
                ("tokens", "cost", "latency", "tool_calls"), problem.left.limits, strict=True
            )
        ]
        places = 9 if STEPS_LIMIT in short_of else problem.max_steps
        richer = brute_force(replace(problem, left=budget(*lifted), max_steps=places))
        assert richer, seed
        assert -float(richer[0][0]) > plan.value, seed
        told += 1
    assert told > 8


def test_increases_and_upgrades_are_those_of_brute_force():
    tried = Counter()
    for seed in range(250):
        problem = role_problem(Random(seed), steps_max=4)
        problem = replace(problem, concurrency=1)
        if problem.left.max_tokens is None:
            continue
        plans, plan = plans_by_increase(problem), planned(problem)
        steps = sorted({0, *(more for more, _, _ in plans)})
        most = {at: max((v for m, v, _ in plans if m <= at), default=None) for at in steps}
        done = {step.name for step in problem.done}
        for left in [left for left in plan.left_out if left.step not in done][:2]:
            own = [(more, value) for more, value, names in plans if left.option in names]
            first = min(
                (at for at in steps if any(m <= at and v >= most[at] for m, v in own)),
                default=None,
            )
            assert least_increase(problem, left.option, "tokens") == first, (seed, left)
            tried["none" if first is None else "more" if first else "tied"] += 1
        better = [
            at for at in steps if most[at] is not None and (most[0] is None or most[at] > most[0])
        ]
        upgrade = [each for each in find_upgrades(problem, "exact") if each.resource == "tokens"]
        assert [each.increase for each in upgrade] == better[:1], seed
        if better:
            gain = most[better[0]] - (most[0] or 0)
            assert upgrade[0].gain == pytest.approx(float(gain))
            tried["upgrade"] += 1
    assert min(tried[kind] for kind in ("none", "more", "upgrade")) > 10, tried


def test_what_a_limit_is_worth_is_what_brute_force_gains():
    binding = 0
    for seed in range(200):
        problem = role_problem(Random(seed), steps_max=4)
        plan = planned(problem)
        for price in shadow_prices(problem, plan):
            left = problem.left.raised_by({price.resource: price.increase})
            best = brute_force(replace(problem, left=left))
            worth = -float(best[0][0]) if best else 0.0
            assert price.gain == pytest.approx(max(0.0, worth - plan.value), abs=1e-9), seed
            assert price.is_binding or not price.gain
            binding += price.is_binding
    assert binding > 10


def test_a_price_is_none_where_nobody_would_read_what_it_buys():
    """The tokens buy material alone, and the answer takes none."""
    reader = step("A", 9.0, 500, reads=("Facts",))
    problem = Problem((answer("Answer", 8.0, 10), material("Facts", 5.0, 60), reader), Budget(50))
    plan = make_plan(problem)
    (tokens,) = shadow_prices(problem, plan)
    assert names(plan) == {"Answer"}
    assert (tokens.is_binding, tokens.value_per_unit, tokens.gain) == (False, 0.0, 0.0)


def test_the_frontier_goes_from_nothing_over_an_answer_to_sections():
    sections = step("A", 4.0, 60, required=True), step("B", 4.0, 60)
    problem = Problem((answer("Answer", 6.0, 50), *sections), Budget(60), risk=0.5)
    points = frontier(problem, "tokens", 4, up_to=2)
    assert [point.options for point in points] == [(), ("Answer",), ("Answer",), ("A", "B")]
    assert [point.status for point in points] == ["infeasible", *["optimal"] * 3]
    (upgrade,) = find_upgrades(problem)
    assert (upgrade.increase, upgrade.adds, upgrade.drops) == (60, ("A", "B"), ("Answer",))
    (first, second) = required_increases(problem, make_plan(problem))
    assert (first.increase, second.increase) == ({"tokens": 60}, {"tokens": 60})


def test_to_force_a_section_is_to_do_without_the_answer():
    sections = step("A", 1.0, 10), step("B", 4.0, 60)
    problem = Problem((answer("Answer", 4.5, 10), *sections), Budget(20), risk=0.5)
    assert least_increase(problem, "A", "tokens") == 50
    facts = material("Facts", 0.0, 10)
    read = replace(
        problem, steps=(*problem.steps[:2], replace(sections[1], reads=("Facts",)), facts)
    )
    assert least_increase(read, "Facts", "tokens") == 60  # with the section that reads it


def test_a_raise_buys_what_is_wanted():
    facts, reader = material("Facts", 5.0, 40), answer("Answer", 5.0, 40, reads=("Facts",))
    problem = Problem((facts, reader, step("A", 1.0)), Budget(60), risk=0.5)
    wanted = [facts.options[0], reader.options[0]]
    raised = find_budget_raise(problem, wanted, {"tokens": 20}, "exact")
    assert (raised.increase, raised.gain, raised.options) == ({"tokens": 20}, 5.0, ("Facts",))


# The number of steps


def test_too_few_steps_are_a_refusal_of_their_own():
    required = [step(name, 1.0, required=True) for name in "ABC"]
    plan = plan_of(*required, max_steps=2)
    assert plan.note == (
        "3 steps are required, and a plan may have 2: 'A', 'B', 'C'; raise max_steps"
    )
    assert {left.short_of for left in plan.left_out} == {(STEPS_LIMIT,)}
    chain = plan_of(*(replace(each, required=False) for each in required[:2]),
                    answer("Answer", 9.0, requires=("A", "B")), max_steps=0)  # fmt: skip
    assert chain.note == "no more steps may be done: raise max_steps"


def test_an_answer_that_needs_more_steps_than_there_may_be_says_so():
    sources = [material(name, 1.0) for name in "AB"]
    whole = answer("Answer", 9.0, requires=("A", "B"))
    plan = plan_of(*sources, whole, max_steps=2)
    (left,) = [left for left in plan.left_out if left.option == "Answer"]
    assert left.reason == "needs 3 steps with what it requires, and a plan may have 2"
    assert left.short_of == (STEPS_LIMIT,)
    assert not plan.chosen
    assert names(plan_of(*sources, whole, max_steps=3)) == {"A", "B", "Answer"}


def test_a_point_of_the_frontier_knows_the_rows():
    problem = Problem((answer("Answer", 6.0, 50), step("A", 4.0)), Budget(100), risk=0.5)
    assert frontier_point(problem, Budget(20)).options == ("A",)
