"""A plan is chosen by values less fees, and told without them."""

import pytest

from thrifty import Budget, Plan, Spend, Step, StepOption, make_plan
from thrifty.options.objective import TOO_LITTLE, option_fee, with_fees, without_fees
from thrifty.planning.problem import Problem

GIVEN = Budget(10_000, 1.0, 60_000, 10)


def step(name, *ways, role="material", **fields):
    """A step whose ways are executors with a value and tokens."""
    options = tuple(
        StepOption(f"{name} ({who})", name, who, f"Do {name}.", Spend(tokens, 0, 600, 1), value)
        for who, value, tokens in ways
    )
    return Step(name, options, role=role, **fields)


ANSWER = step("Answer", ("llm", 50.0, 1_000), role="answer", reads=("Found", "Notes"))
FOUND = step("Found", ("search", 10.0, 0), ("llm", 1.5, 1_000))
NOTES = step("Notes", ("llm", 0.9, 500))


@pytest.mark.parametrize(
    ("made", "given", "fee"),
    [
        (ANSWER, GIVEN, 0.3),  # 3 · 1,000/10,000: it makes the result in any case
        (NOTES, GIVEN, 1.3),  # 1, and 3 · 1 call of 10
        (step("Found", ("search", 1.0, 0)), GIVEN, 0.3),
        (step("Part", ("llm", 1.0, 5_000), role="section"), GIVEN, 2.5),
        (step("Part", ("llm", 1.0, 5_000), role="section", required=True), GIVEN, 1.5),
        (NOTES, Budget(), 1.0),
        (NOTES, Budget(max_tokens=100), 4.0),  # no more than all of a limit
        (NOTES, Budget(max_tokens=0, max_latency_ms=6_000), 1.3),
    ],
)
def test_a_fee_is_for_further_models_and_for_the_tightest_share(made, given, fee):
    assert option_fee(made.options[0], made, given) == pytest.approx(fee)


def test_what_adds_less_than_its_trouble_is_left_out_with_a_reason():
    steps, left_out = with_fees((FOUND, NOTES, ANSWER), GIVEN)
    assert [(s.name, [round(o.value, 3) for o in s.options]) for s in steps] == [
        ("Found", [9.7, 0.2]),
        ("Answer", [49.7]),
    ]
    assert [(each.option, each.reason) for each in left_out] == [("Notes (llm)", TOO_LITTLE)]


def test_what_is_required_stays_whatever_its_fee_is():
    digest = step("Digest", ("llm", 20.0, 500), requires=("Notes",))
    steps, left_out = with_fees((NOTES, digest, ANSWER), GIVEN)
    assert [round(s.options[0].value, 3) for s in steps] == [0.009, 18.7, 49.7]
    assert not left_out


def test_a_poor_answer_is_more_than_none():
    poor = step("Answer", ("llm", 2.0, 9_000), role="answer")
    steps, _ = with_fees((poor,), GIVEN)
    plan = make_plan(Problem(steps, GIVEN, risk=0.5))
    assert [option.value for option in plan.chosen] == [0.02]
    assert without_fees(plan, (poor,)).value == 2.0


def test_a_plan_is_told_what_its_result_is_worth():
    steps = (FOUND, NOTES, ANSWER)
    offered, _ = with_fees(steps, GIVEN)
    plan = make_plan(Problem(offered, GIVEN))
    assert (plan.status, plan.value) == ("optimal", pytest.approx(59.4))
    told = without_fees(plan, steps)
    assert told.value == pytest.approx(60.0)
    assert {option.name: option.value for option in told.chosen} == {
        "Found (search)": 10.0,
        "Answer (llm)": 50.0,
    }
    assert told.bound - told.value == pytest.approx(plan.bound - plan.value)
    assert [option.estimate for option in told.chosen] == [o.estimate for o in plan.chosen]
    assert without_fees(Plan("infeasible", "exact"), steps) == Plan("infeasible", "exact")
