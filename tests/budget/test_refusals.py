"""Promise 5, clear refusal: one error that names the field, the value and the remedy."""

import re
from decimal import Decimal

import pytest

from thrifty.budget import Budget, InvalidInput, Outcome, Plan, Spend, Step, StepOption, check_steps
from thrifty.budget.errors import format_value

NO_LIMITS = [-1, float("nan"), float("inf"), float("-inf"), True, "5", 2**70, 5.5, 5.0, [], {}]
NO_MONEY = [
    -0.01,
    float("nan"),
    float("inf"),
    True,
    "5",
    2**70,
    Decimal("NaN"),
    Decimal("1e30"),
    [],
]


def option(
    name: str = "a", step: str = "S", executor: str = "local", **changed: object
) -> StepOption:
    given = {"description": "does it", "estimate": Spend(1), "value": 1.0, **changed}
    return StepOption(name, step, executor, **given)


@pytest.mark.parametrize("value", NO_LIMITS, ids=str)
@pytest.mark.parametrize("field", ["max_tokens", "max_latency_ms", "max_tool_calls"])
def test_a_limit_that_is_no_whole_amount_is_refused(field, value):
    with pytest.raises(InvalidInput) as refused:
        Budget(**{field: value})
    assert refused.value.field == field
    assert refused.value.value is value
    assert str(refused.value).startswith(
        f"{field}: got {format_value(value)}; use a whole number from 0"
    )


@pytest.mark.parametrize("value", NO_MONEY, ids=str)
def test_a_limit_that_is_no_money_is_refused(value):
    with pytest.raises(InvalidInput) as refused:
        Budget(max_cost_usd=value)
    assert (refused.value.field, refused.value.value) == ("max_cost_usd", value) or value != value
    assert refused.value.remedy == "use an amount of dollars from 0 to 1,000,000, such as 0.05"


@pytest.mark.parametrize("value", NO_LIMITS, ids=str)
@pytest.mark.parametrize("field", ["tokens", "cost_nano_usd", "latency_ms", "tool_calls"])
def test_a_spend_that_is_no_whole_amount_is_refused(field, value):
    with pytest.raises(InvalidInput) as refused:
        Spend(**{field: value})
    assert refused.value.field == field


def test_an_unknown_field_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(InvalidInput, match=r"budget\.max_token: got 5; known fields: max_tokens,"):
        Budget.from_state({"max_token": 5})
    with pytest.raises(InvalidInput, match=r"spend\.dollars: got 5; known fields: tokens,"):
        Spend.from_state({"dollars": 5})


def test_cost_in_two_units_is_refused():
    with pytest.raises(InvalidInput, match="one unit only"):
        Budget.from_state({"max_cost_usd": 1, "max_cost_nano_usd": 10**9})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("step", "  "),
        ("executor", None),
        ("description", ""),
        ("value", float("nan")),
        ("value", float("inf")),
        ("value", -5),
        ("value", True),
        ("value", 10**400),
        ("spread", -0.1),
        ("spread", 11),
    ],
)
def test_an_option_with_a_bad_field_is_refused(field, value):
    given = {"name": "a", "step": "S", "executor": "local", field: value}
    with pytest.raises(
        InvalidInput, match=rf"\.{field}: got {re.escape(format_value(value))}; \w+"
    ):
        option(**given)


def test_the_parts_of_a_step_must_belong_together():
    with pytest.raises(InvalidInput, match=r"step 'S'\.options: got \(\); give at least one"):
        Step("S", ())
    with pytest.raises(InvalidInput, match=r"option 'a'\.step: got 'T'; use S"):
        Step("S", (option(step="T"),))
    with pytest.raises(
        InvalidInput, match=r"step 'S'\.role: got 'x'; use one of: answer, material, r"
    ):
        Step("S", (option(),), role="x")


def step(name: str, *requires: str, reads: tuple[str, ...] | None = None) -> Step:
    return Step(name, (option(f"{name} (local)", name),), requires, reads)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("A"), step("A")], r"step\.name: got 'A'; give each one a name of its own"),
        ([step("A", "B")], r"step 'A'\.requires: got 'B'; name another step"),
        ([step("A", "A")], r"step 'A'\.requires: got \['A', 'A'\]; break this circle"),
        (
            [step("A", "C"), step("B", "A"), step("C", "B")],
            r"step 'A'\.requires: got \['A', 'C', 'B', 'A'\]; break this circle",
        ),
        ([step("A", reads=("A",))], r"step 'A'\.reads: got \['A', 'A'\]; break this circle"),
        (
            [step("A", "B"), step("B", reads=("A",))],
            r"step 'A'\.requires: got \['A', 'B', 'A'\]; break this circle",
        ),
    ],
)
def test_steps_that_do_not_make_sense_together_are_refused(steps, told):
    with pytest.raises(InvalidInput, match=told):
        check_steps(steps)


def test_an_option_with_one_name_in_two_steps_is_refused():
    with pytest.raises(InvalidInput, match=r"option\.name: got 'a'"):
        check_steps([Step("S", (option("a", "S"),)), Step("T", (option("a", "T"),))])


@pytest.mark.parametrize("executor", ["shell", "__import__", "os.system", "LLM"])
def test_an_option_whose_executor_nobody_registered_is_refused(executor):
    steps = [Step("S", (option(executor=executor),))]
    with pytest.raises(InvalidInput) as refused:
        check_steps(steps, ["local", "llm"])
    assert (refused.value.field, refused.value.value) == ("option 'a'.executor", executor)
    assert refused.value.remedy == "register it, or use one of: llm, local"


@pytest.mark.parametrize("kind", [Spend, Budget, StepOption, Step, Plan, Outcome])
@pytest.mark.parametrize("state", [None, 5, "x", [1], {"shell": "rm"}], ids=str)
def test_a_tampered_state_is_refused(kind, state):
    with pytest.raises(InvalidInput):
        kind.from_state(state)


def test_a_value_too_long_to_print_is_cut():
    with pytest.raises(InvalidInput) as refused:
        Budget(max_tokens=10**5000)
    assert len(str(refused.value)) < 200
