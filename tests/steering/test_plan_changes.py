"""What a new plan does otherwise than the old one, in plain words."""

from dataclasses import replace

import pytest

from thrifty import Budget, Plan, Problem, Spend, Step, StepOption, make_plan
from thrifty.budget import LeftOut
from thrifty.steering.plan_changes import iterate_plan_changes


def option(step: str, executor: str, tokens: int, value: float, name: str = "") -> StepOption:
    name = name or f"{step} ({executor})"
    return StepOption(
        name, step, executor, "does it", Spend(tokens, 0, 20, int(executor == "llm")), value
    )


LOCAL, DEAR = option("Timeline", "local", 150, 4.8), option("Timeline", "llm", 650, 8.5)
RISKS = option("Risks", "llm", 700, 9.0)


def by(option: StepOption) -> str:
    return "gpt-5" if option.executor == "llm" else "the local template"


def changes_of(remaining, chosen, left: Budget) -> list[tuple[str, str]]:
    plan = Plan("optimal", "exact", tuple(chosen))
    steps = [Step(option.step, (option,)) for option in remaining]
    problem = Problem(tuple(steps), left)
    changes = iterate_plan_changes(remaining, plan, problem, by)
    return [(change.kind, change.reason) for change in changes]


def test_a_downgrade_says_what_was_left_and_what_was_needed():
    assert changes_of([DEAR], [LOCAL], Budget(max_tokens=412)) == [
        (
            "downgrade",
            "Timeline moved from gpt-5 to the local template: 412 tokens were left, it needs 650",
        )
    ]


def test_what_other_steps_take_is_not_left():
    ((_, reason),) = changes_of([DEAR, RISKS], [LOCAL, RISKS], Budget(max_tokens=1_000))
    assert reason.endswith("300 tokens were left, it needs 650")


def test_the_resource_that_lacks_is_the_one_that_is_named():
    left = Budget(max_tokens=9_000, max_cost_usd=1, max_latency_ms=9_000, max_tool_calls=0)
    ((_, reason),) = changes_of([DEAR], [LOCAL], left)
    assert reason.endswith("0 calls were left, it needs 1")


def test_an_upgrade_says_what_there_is():
    assert changes_of([LOCAL], [DEAR], Budget(max_tokens=1_412)) == [
        (
            "upgrade",
            "Timeline moved from the local template to gpt-5: 1,412 tokens are left, it needs 650",
        )
    ]


def test_options_of_one_executor_model_are_told_apart_by_their_names():
    brief = option("Timeline", "llm", 200, 6.0, "Timeline in brief")
    ((kind, reason),) = changes_of([DEAR], [brief], Budget(max_tokens=400))
    assert kind == "downgrade"
    assert reason.startswith("Timeline moved from 'Timeline (llm)' to 'Timeline in brief': ")


def test_steps_are_dropped_and_added():
    assert changes_of([DEAR], [RISKS], Budget(max_tokens=1_000)) == [
        ("skip", "Timeline was dropped: 300 tokens were left, it needs 650"),
        ("upgrade", "Risks was added, by gpt-5: 1,000 tokens are left, it needs 700"),
    ]


def test_what_is_worth_the_same_is_neither_better_nor_worse():
    twin = option("Timeline", "mine", 150, 8.5)
    ((kind, _),) = changes_of([DEAR], [twin], Budget(max_tokens=400))
    assert kind == "move"


GONE = LeftOut("Timeline (llm)", "Timeline", "was tried: gpt-5: the server refused it (401)")


@pytest.mark.parametrize("value", [1.0, 8.5, 9.9])
def test_what_cannot_be_had_any_more_falls_back_whatever_that_is_worth(value):
    stand_in = replace(LOCAL, value=value)
    problem = Problem((Step("Timeline", (stand_in,)),), Budget(max_tokens=9_000))
    plan = Plan("optimal", "exact", (stand_in,), left_out=(GONE,))
    (change,) = iterate_plan_changes([DEAR], plan, problem, by)
    assert (change.kind, change.reason) == (
        "fallback",
        "Timeline moved from gpt-5 to the local template: gpt-5: the server refused it (401)",
    )


def test_what_cannot_be_had_any_more_and_has_no_other_way_is_dropped():
    problem = Problem((Step("Risks", (RISKS,)),), Budget(max_tokens=9_000))
    plan = Plan("optimal", "exact", (RISKS,), left_out=(GONE,))
    changes = list(iterate_plan_changes([DEAR, RISKS], plan, problem, by))
    assert [(change.kind, change.reason) for change in changes] == [
        ("skip", "Timeline was dropped: gpt-5: the server refused it (401)")
    ]


def test_the_same_plan_has_no_changes_however_it_is_estimated():
    cheaper = replace(DEAR, estimate=Spend(300))
    assert changes_of([DEAR], [cheaper], Budget(max_tokens=1_000)) == []


@pytest.mark.parametrize("tokens", [660, 700, 790])
def test_what_fits_but_for_the_margin_says_so(tokens):
    problem = Problem((Step("Timeline", (LOCAL, DEAR)),), Budget(max_tokens=tokens), risk=0.05)
    made = make_plan(problem)
    ((_, reason),) = [(m.kind, m.reason) for m in iterate_plan_changes([DEAR], made, problem, by)]
    assert "does not fit" in reason


def side_by_side(**latencies_ms: int) -> tuple[Problem, list[StepOption]]:
    """Steps two at a time with 100 ms for all."""
    options = [
        StepOption(f"do {name}", name, "llm", "does it", Spend(latency_ms=latency_ms), 9.0, 0.0)
        for name, latency_ms in latencies_ms.items()
    ]
    steps = tuple(Step(option.step, (option,)) for option in options)
    left = Budget(max_latency_ms=100)
    return Problem(steps, left, concurrency=2, schedule="waves", risk=0.5), options


def test_steps_side_by_side_lack_no_time_that_they_share():
    problem, (first, second) = side_by_side(A=90, B=90)
    plan = make_plan(problem)
    assert len(plan.chosen) == 2
    (added,) = iterate_plan_changes([first], plan, problem, by)
    assert added.reason == "B was added, by gpt-5: 100 ms are left, the plan takes 90 ms"
    (dropped,) = iterate_plan_changes(
        [first, second], Plan("optimal", "exact", (first,)), problem, by
    )
    assert dropped.reason == "B was dropped: the new plan is worth more without it"


def test_steps_side_by_side_lack_what_the_plan_takes_too_long():
    problem, options = side_by_side(A=90, B=90, C=95)
    plan = make_plan(problem)
    (change,) = iterate_plan_changes(options, plan, problem, by)
    assert change.reason == "C was dropped: does not fit beside the rest: 85 ms short"
