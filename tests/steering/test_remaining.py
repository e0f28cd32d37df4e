"""The remaining plan, kept as a run goes on: the same as if all of it were looked at each time."""

from dataclasses import replace
from heapq import nlargest
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.steering.at_once import forecast_steps, remaining_totals
from thrifty import Budget, Plan, Problem, Spend, Step, StepOption
from thrifty.budget import total_spend
from thrifty.planning.problem import count_topic_pairs, plan_value
from thrifty.steering.forecast import (
    Bill,
    ExecutorModel,
    Forecaster,
    summarise_bill,
)
from thrifty.steering.ready import ready_options
from thrifty.steering.remaining import (
    RemainingPlan,
    RemainingTotals,
    remaining_options,
)

MAX_STEPS = 5


def executor_model(option: StepOption) -> ExecutorModel:
    return ExecutorModel(option.executor)


@st.composite
def catalogs(draw) -> list[Step]:
    """Up to eight steps on three topics, of one or two options by one of two executors."""

    def option(step: str, number: int) -> StepOption:
        spend = Spend(draw(st.integers(0, 900)), draw(st.integers(0, 900)), draw(st.integers(0, 9)))
        executor, value = draw(st.sampled_from(["llm", "mine"])), draw(st.integers(0, 9)) / 4
        return StepOption(f"{step}{number}", step, executor, "does it", spend, value)

    names = "ABCDEFGH"[: draw(st.integers(0, 8))]
    return [
        Step(
            name,
            tuple(option(name, i) for i in range(draw(st.integers(1, 2)))),
            topic=draw(st.sampled_from(["x", "y", name])),
        )
        for name in names
    ]


def looked_at(problem: Problem, plan: Plan) -> RemainingTotals:
    """What lies ahead by its definition."""
    remaining = remaining_options(plan, problem)
    best = nlargest(problem.max_steps, [step.value_max for step in problem.steps])
    return RemainingTotals(
        option_count=len(remaining),
        expected_spend=total_spend(option.estimate for option in remaining),
        value=pytest.approx(plan_value(problem, remaining)),
        value_bound=fsum(best),
        open_step_count=len(problem.steps),
        done_step_count=len(problem.done),
    )


@given(catalogs(), st.randoms(use_true_random=False))
def test_it_is_as_if_all_were_looked_at_each_time(steps, random):
    """After each bill, of a step of the plan or of another, in any order."""
    plan = Plan(
        "feasible", "beam", tuple(random.choice(s.options) for s in steps if random.random() < 0.7)
    )
    offered, done, summaries = [s for s in steps if random.random() < 0.9], [], []
    seen = Forecaster(())
    remaining = RemainingPlan(
        plan.chosen,
        offered,
        (),
        max_steps=MAX_STEPS,
        diversity_penalty=0.3,
        forecaster=seen,
        executor_model_of=executor_model,
    )
    for step in random.sample(steps, len(steps)):
        option = random.choice(step.options)
        actual = Spend(*(random.randrange(1_000) for _ in range(3)))
        summaries.append(summarise_bill(Bill(option, executor_model(option), actual)))
        seen.add(summaries[-1])
        done.append(step)
        remaining.mark_done(step)
        done_names = {each.name for each in done}
        left = [each for each in offered if each.name not in done_names]
        if left and random.random() < 0.5:  # what one of them reads is there now
            reader = random.choice(left)
            more = Spend(random.randrange(5_000))
            options = [o.with_estimate(o.estimate + more, o.spread) for o in reader.options]
            restated = reader.with_options(tuple(options))
            remaining.restate(restated)
            offered[offered.index(reader)] = restated
            left[left.index(reader)] = restated
        problem = Problem(
            forecast_steps(left, executor_model, summaries),
            Budget(),
            max_steps=max(0, MAX_STEPS - len(done)),
            diversity_penalty=0.3,
            done=tuple(done),
        )
        assert remaining.totals() == looked_at(problem, plan)
        remaining.restate(step)  # it is done, and nobody asks for it any more
        assert remaining_totals(plan, problem).expected_spend == remaining.totals().expected_spend
        for executor in ("llm", "mine"):
            his = [o.estimate for o in remaining_options(plan, problem) if o.executor == executor]
            assert remaining.expected_spend.total(executor) == total_spend(his)
        assert [remaining.forecast_step(each.name) for each in left] == list(problem.steps)


def test_a_step_is_taken_off_once():
    """However often its outcome is told."""
    option = StepOption("A0", "A", "llm", "does it", Spend(5), 2.0)
    steps = [Step("A", (option,)), Step("B", (StepOption("B0", "B", "llm", "b", Spend(7), 1.0),))]
    chosen = [step.options[0] for step in steps]
    remaining = RemainingPlan(
        chosen,
        steps,
        (),
        max_steps=2,
        diversity_penalty=0.0,
        forecaster=Forecaster(()),
        executor_model_of=executor_model,
    )
    remaining.mark_done(steps[0])
    once = remaining.totals()
    remaining.mark_done(steps[0])
    assert remaining.totals() == once == RemainingTotals(1, Spend(7), 1.0, 1.0, 1, 1)


@given(catalogs(), st.integers(2, 4), st.randoms(use_true_random=False))
def test_side_by_side_it_takes_as_long_as_it_runs(steps, concurrency, random):
    """Waves of what `route` would send, whatever is done already."""
    steps = [
        replace(
            step,
            requires=tuple(s.name for s in steps[:i] if random.random() < 0.3),
            role="section" if i < len(steps) - 1 else random.choice(["section", "revision"]),
        )
        for i, step in enumerate(steps)
    ]
    by_name = {step.name: step for step in steps}
    chosen = [random.choice(step.options) for step in steps]
    rest = RemainingPlan(
        chosen,
        steps,
        (),
        max_steps=9,
        diversity_penalty=0.0,
        concurrency=concurrency,
        forecaster=Forecaster(()),
        executor_model_of=executor_model,
    )
    waves = []
    while rest.options_by_step:
        finished = by_name.keys() - rest.options_by_step.keys()
        sent = ready_options(rest.options_by_step, by_name, finished, concurrency)
        waves.append((rest.totals().expected_spend.latency_ms, sent))
        for option in sent:
            rest.mark_done(by_name[option.step])
    later_ms = 0
    for expected_ms, sent in reversed(waves):
        later_ms += max(option.estimate.latency_ms for option in sent)
        assert expected_ms == later_ms


@pytest.mark.parametrize(
    ("given", "is_kept"), [({"role": "revision"}, True), ({"required": True}, True), ({}, False)]
)
def test_what_must_not_be_crowded_out_is_told_apart_until_it_is_done(given, is_kept):
    option = StepOption("A0", "A", "llm", "does it", Spend(5), 2.0)
    step = Step("A", (option,), **given)
    remaining = RemainingPlan(
        [option],
        [step],
        (),
        max_steps=2,
        diversity_penalty=0.0,
        forecaster=Forecaster(()),
        executor_model_of=executor_model,
    )
    assert remaining.kept_steps == ({"A"} if is_kept else set())
    remaining.mark_done(step)
    assert remaining.kept_steps == set()


def test_every_two_on_one_topic_are_a_pair():
    assert count_topic_pairs("abab", "") == 2
    assert count_topic_pairs("ababa", "") == 4
    assert count_topic_pairs("ab", "aab") == 3  # the pair that is done is not counted again


def tracked(
    chosen: str, *steps: Step, max_steps: int = 9, lost: tuple[Step, ...] = ()
) -> RemainingPlan:
    return RemainingPlan(
        [step.options[0] for step in steps if step.name in chosen],
        steps,
        (),
        max_steps=max_steps,
        diversity_penalty=0.0,
        forecaster=Forecaster(()),
        executor_model_of=executor_model,
        lost=lost,
    )


def valued(name: str, value: float, **fields: object) -> Step:
    return Step(name, (StepOption(name, name, "llm", "does it", Spend(7), value),), **fields)


def test_the_most_that_it_can_be_worth_is_an_answer_or_the_sections():
    """With material for whichever it is. Nothing is open any more once an answer is done."""
    answer, facts = (
        valued("A", 5.0, role="answer", reads=("F",)),
        valued("F", 2.0, role="material"),
    )
    sections = valued("S", 3.0), valued("T", 3.0)
    totals = tracked("A", answer, facts, *sections).totals()
    assert (totals.value_bound, totals.open_step_count) == (7.0, 4)
    assert tracked("A", answer, *sections, max_steps=1).totals().value_bound == 5.0
    remaining = tracked("A", answer, *sections)
    assert remaining.totals().value_bound == 6.0
    remaining.mark_done(answer)
    assert remaining.totals() == RemainingTotals(0, Spend(), 0.0, 0.0, 0, 1)


def test_what_is_lost_leaves_answers_alone():
    steps = valued("A", 2.0), valued("Answer", 6.0, role="answer")
    assert tracked("A", *steps).totals().value_bound == 6.0
    lost = valued("B", 9.0, required=True)
    remaining = tracked("A", valued("A", 9.0), steps[1], lost=(lost,))
    assert (remaining.totals().value_bound, remaining.totals().open_step_count) == (6.0, 1)


def test_material_is_of_no_more_use_when_its_readers_are_done():
    facts, reader = valued("F", 2.0, role="material"), valued("S", 3.0, reads=("F",))
    remaining = tracked("FS", facts, reader, valued("T", 1.0))
    remaining.mark_done(reader)
    assert list(remaining.options_by_step) == []
    assert remaining.totals() == RemainingTotals(0, Spend(), 0.0, 1.0, 1, 1)
