"""What a run is told to be worth: what its result is, by estimates, and its share of the best."""

from dataclasses import replace

import pytest

from tests.graph.conftest import decisions_of, receipt_of
from tests.graph.test_taken_apart import (
    ASKS,
    BUDGET,
    FOUND,
    LOOKED_UP,
    ROLES,
    STEPS,
    TASK,
    depth,
    lines_of,
)
from tests.harness.llm_server import Answer, Unauthorized
from thrifty import Executor, Plan, Spend, Step, StepOption
from thrifty.receipt.wording import (
    describe_binding,
    describe_plan,
    describe_uncounted,
    describe_worth,
)

WHOLE = 100 * 0.8 * (5 + 16 * 0.3) / 21 + 2 * 100 * 0.7 * 8 / 21 * 0.7
"""A strong model's answer with what it knows by itself, and what two calls of a tool add."""

CLERK = Executor(lambda work: "from the clerk", answers=True)


@pytest.fixture
def answering(online, server):
    server.script(Answer(STEPS, when=ASKS), Answer(FOUND, times=None))
    return lambda **given: online(
        **{"catalog": None, "models": ROLES, "executors": {"depth": depth}, **given}
    )


def values_of(result):
    return {line.label: line.value for line in receipt_of(result).lines if line.value}


def test_what_material_brings_is_counted_once(answering):
    """An answer is worth more once its material is there, by just what that was worth."""
    result = answering().invoke({"task": TASK, "budget": BUDGET})
    receipt = receipt_of(result)
    assert lines_of(result) == ["Steps", *LOOKED_UP, "Answer (strong)"]
    assert receipt.value == pytest.approx(WHOLE)
    assert receipt.value == pytest.approx(result["plan"]["value"])
    assert (receipt.best, receipt.share) == (pytest.approx(WHOLE), 1.0)
    assert receipt.bound_by == ()
    told = result["receipt"]
    assert (told["value"], told["best"], told["share"]) == (receipt.value, receipt.best, 1.0)


def test_material_that_nobody_has_read_is_worth_nothing(answering, server):
    agent = answering()
    server.clear()
    server.script(Answer(STEPS, when=ASKS), Unauthorized(times=None))
    receipt = receipt_of(agent.invoke({"task": TASK, "budget": BUDGET}))
    assert [line.status for line in receipt.lines if line.label in LOOKED_UP] == ["done", "done"]
    assert (receipt.value, receipt.share) == (0.0, 0.0)


def test_a_cheaper_answer_is_a_share_of_the_best(answering):
    """Money holds the cheap model alone: 0.65 of answers are right, and 0.8 of the strong one's."""
    given = {"task": TASK, "budget": {"max_cost_usd": 0.002}}
    result = answering(executors=None).invoke(given)
    plan, receipt = Plan.from_state(result["plan"]), receipt_of(result)
    assert [option.name for option in plan.chosen] == ["Answer (cheap)"]
    assert (plan.value, plan.best, plan.share) == (65.0, 80.0, 0.8125)
    assert (receipt.value, receipt.best, receipt.share) == (65.0, 80.0, 0.8125)
    (told,) = decisions_of(result, "plan")
    assert told == "Answer (cheap): worth 65.0, 81% of the best without limits (80.0)"


def test_an_answer_that_is_planned_short_and_cut_is_worth_no_more_than_planned(online, server):
    server.script(Answer(" ".join(map(str, range(1_500))), times=None))
    given = {"task": TASK, "words": 2_000, "budget": {"max_tokens": 1_500}}
    agent = online(catalog=None, models=ROLES)
    result = agent.invoke(given, context={"plan_steps": "never"})
    plan, receipt = Plan.from_state(result["plan"]), receipt_of(result)
    assert plan.share < 0.8
    assert receipt.lines[-1].status == "cut"
    assert (receipt.value, receipt.best) == (pytest.approx(plan.value), plan.best)


def test_a_failure_leaves_the_best_as_it_was(answering, server):
    agent = answering(executors=None)
    server.clear()
    server.script(Unauthorized(), Answer(FOUND, times=None))
    receipt = receipt_of(agent.invoke({"task": TASK, "budget": BUDGET}))
    assert (receipt.value, receipt.best) == (65.0, 80.0)


def test_steps_that_repeat_each_other_are_worth_less_together(offline):
    def step(name: str, value: float) -> Step:
        way = StepOption(f"{name} (mine)", name, "mine", "Do it.", Spend(10), value)
        return Step(name, (way,), topic="tea")

    agent = offline(catalog=[step("A", 5.0), step("B", 4.0)], executors={"mine": lambda w: "text"})
    result = agent.invoke({"task": TASK}, context={"diversity_penalty": 1.5})
    receipt = receipt_of(result)
    assert values_of(result) == {"A (mine)": 5.0, "B (mine)": 4.0}
    assert (receipt.value, receipt.best, receipt.share) == (7.5, 7.5, 1.0)
    assert replace(receipt, best=15.0).share == 0.5


def test_a_recipes_own_values_are_told_the_same_way(offline):
    """The tutorial's recipe, with room for one of its five steps."""
    result = offline(catalog="proposal").invoke(
        {"task": TASK, "budget": {"max_tokens": 70}}, context={"max_replans": 0}
    )
    plan = Plan.from_state(result["plan"])
    assert (plan.value, plan.best) == (6.0, 24.8)
    assert receipt_of(result).share == pytest.approx(6.0 / 24.8)


NO_STEPS, UNREADABLE = {"steps": []}, "I would rather answer."


@pytest.mark.parametrize(
    ("given", "context", "change", "reply", "uncounted"),
    [
        ({}, {"plan_steps": "never"}, {}, STEPS, ("depth",)),
        ({}, {}, {"max_tokens": 8_000}, STEPS, ("depth",)),
        ({}, {}, {}, UNREADABLE, ("depth",)),
        # Who was asked has said that a direct answer lacks nothing, or what it lacks.
        ({}, {}, {}, NO_STEPS, ()),
        ({}, {}, {}, STEPS, ()),
        # A model that can call them by itself is a direct answer, too.
        ({"executors": None, "tools": [depth]}, {}, {}, STEPS, ()),
        ({"executors": {"clerk": CLERK}}, {"plan_steps": "never"}, {}, STEPS, ()),
        ({"executors": None}, {}, {}, STEPS, ()),
    ],
    ids=["never", "no room", "unread", "none", "steps", "agent", "answers", "nothing there"],
)
def test_a_value_says_what_it_does_not_count(
    answering, server, given, context, change, reply, uncounted
):
    agent = answering(**given)
    server.clear()
    server.script(Answer(reply, when=ASKS), Answer(FOUND, times=None))
    result = agent.invoke({"task": TASK, "budget": {**BUDGET, **change}}, context=context)
    plan, receipt = Plan.from_state(result["plan"]), receipt_of(result)
    assert (plan.uncounted, receipt.uncounted) == (uncounted, uncounted)
    told = "What 'depth' would bring is not counted."
    for said in (describe_plan(plan), describe_worth(receipt)):
        assert said.endswith(told) == bool(uncounted), said
    binding = "a better direct answer" if uncounted else "anything better"
    assert describe_binding(receipt) == f"No limit kept {binding} out."
    (decided,) = decisions_of(result, "plan")
    assert decided.endswith("what 'depth' would bring is not counted") == bool(uncounted)


def test_why_nobody_was_asked_is_said_where_it_is_a_question(answering):
    for given, told in (
        ({}, ["no model was asked for steps: plan_steps is 'never'"]),
        (
            {"executors": None},
            [],
        ),
    ):
        result = answering(**given).invoke(
            {"task": TASK, "budget": BUDGET}, context={"plan_steps": "never"}
        )
        assert decisions_of(result, "options") == told


def test_many_executors_are_counted():
    assert describe_uncounted(("a", "b")) == "what 'a' and 'b' would bring is not counted"
    told = "what 'a', 'b', 'c' and 2 more would bring is not counted"
    assert describe_uncounted(tuple("abcde")) == told
    assert describe_uncounted(()) == ""
