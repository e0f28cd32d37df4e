"""Cascades beside the options that they are made of: what they are worth, and where they are."""

from random import Random

import pytest

from thrifty import Budget, Problem, Settings, Spend, Step, StepOption, make_plan
from thrifty.checks.checks import Checks
from thrifty.executors.model_access import ModelAccess
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.cascades import offer_cascades
from thrifty.options.chances import Chances, chance_right, worth_when_right
from thrifty.options.recipe import Recipe

CHECKS = Checks.of({"number": str.isdecimal})
ACCESS = ModelAccess(ModelRoles(Settings("sk-test", models={"strong": "gpt-4.1"})), False)


def way(name: str, quality: float, cost: int, executor: str = "") -> StepOption:
    return StepOption(
        name, "S", executor or name, "do it", Spend(cost_nano_usd=cost, tool_calls=1),
        100 * quality, 0.0, quality=quality,
    )  # fmt: skip


def offered(*options: StepOption, check: str = "number", effects: tuple[str, ...] = ()) -> Step:
    step = Step("S", options, check=check)
    return offer_cascades(step, Chances(ACCESS, CHECKS), lambda name: name in effects)


def cascades(step: Step) -> list[StepOption]:
    return [option for option in step.options if option.cascade]


CHEAP, STRONG = way("cheap", 0.6, 100), way("strong", 0.8, 2_000)


def test_it_stands_beside_the_two_and_is_worth_more_than_the_first():
    (cascade,) = cascades(offered(CHEAP, STRONG))
    assert cascade.name == "cheap, then strong"
    assert (cascade.cascade.first, cascade.cascade.then) == ("cheap", "strong")
    assert CHEAP.value < cascade.value
    assert CHEAP.estimate.cost_nano_usd < cascade.estimate.cost_nano_usd < 2_000


def test_its_value_is_that_of_simulated_attempts():
    (cascade,) = cascades(offered(CHEAP, STRONG))
    # A priori the check is right in 0.8 and 0.6 of cases, and the second in half of 0.8 or more.
    draw, right, failed, runs = Random(5), 0, 0, 40_000
    after_wrong = max(0.4, 0.2 / 0.4)
    after_right = (0.8 - 0.4 * after_wrong) / 0.6
    for _ in range(runs):
        is_right = draw.random() < 0.6
        fails = draw.random() < (0.2 if is_right else 0.6)
        failed += fails
        chance = after_right if is_right else after_wrong
        right += draw.random() < chance if fails else is_right
    assert cascade.value == pytest.approx(100 * right / runs, rel=0.02)
    assert cascade.cascade.chance == pytest.approx(failed / runs, rel=0.02)


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ((CHEAP, STRONG), {"check": ""}),
        ((CHEAP,), {}),
        ((CHEAP, way("other", 0.6, 50)), {}),
        ((CHEAP, STRONG), {"effects": ("cheap",)}),
        ((CHEAP, STRONG), {"effects": ("strong",)}),
        ((way("a", 0.6, 100, "one"), way("b", 0.8, 200, "one")), {}),
    ],
    ids=["no check", "one way", "no better", "first has effects", "second has", "one executor"],
)
def test_there_is_none_where_it_would_be_no_use(options, given):
    step = offered(*options, **given)
    assert cascades(step) == []


def test_the_planner_takes_it_where_the_better_one_does_not_fit():
    """Against every choice that there is, counted by hand."""
    step = offered(CHEAP, STRONG)
    for nano_usd in range(0, 2_600, 100):
        problem = Problem((step,), Budget.of_limits((None, nano_usd, None, None)), risk=0.5)
        fitting = [o for o in step.options if o.estimate.cost_nano_usd <= nano_usd]
        best = max((o.value for o in fitting), default=0.0)
        assert make_plan(problem).value == pytest.approx(best)


def test_without_a_quality_the_best_is_as_good_as_its_role():
    model = StepOption("m", "S", "llm", "do it", Spend(), 8.0)
    code = StepOption("c", "S", "code", "do it", Spend(), 4.0)
    step = Step("S", (model, code))
    worth = worth_when_right(step)
    assert worth == pytest.approx(8.0 / 0.8)
    assert (chance_right(model, worth), chance_right(code, worth)) == pytest.approx((0.8, 0.4))


def test_a_recipe_says_kind_check_and_quality():
    recipe = Recipe.of(
        {
            "steps": [
                {
                    "name": "Count",
                    "kind": "counting",
                    "check": "number",
                    "options": [
                        {"executor": "local", "description": "Count.", "value": 3, "quality": 0.3}
                    ],
                }
            ]
        }
    )
    (step,) = recipe.steps
    assert (step.kind, step.check, step.options[0].quality) == ("counting", "number", 0.3)
