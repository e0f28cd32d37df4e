"""A direct answer is planned no longer than what is left holds, and so it is never refused."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thrifty import Budget, Model, Settings, Spend, Step, TokenPrice, make_plan
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.results import Results
from thrifty.executors.step_estimate import StepEstimator
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.nodes.context import Context
from thrifty.options.capped_answers import cap_answers
from thrifty.options.direct_answer import DirectAnswer
from thrifty.planning.problem import Problem

ASKED = Asked(100)
ROLES = ModelRoles(
    Settings(
        "sk-test", models={"strong": Model("gpt-4o", price=TokenPrice(Decimal(2), Decimal(10)))}
    )
)
ESTIMATOR = StepEstimator(
    ModelAccess(ROLES, is_cost_limited=True), "Hi", Context().step_prompt, asked=ASKED
)
(STEP,) = ESTIMATOR.estimate_steps(DirectAnswer(tuple(ROLES)).steps(ASKED), Results({}))
(OPTION,) = STEP.options
SENT = ESTIMATOR.input_tokens(ESTIMATOR.work(OPTION, STEP, Results({})))
USEFUL = 200
"""Half of what an answer is expected to be."""


def expecting(written: int, spread: float = 0.5) -> Step:
    """The step as bills let it be expected."""
    cost = SENT * 2_000 + written * 10_000
    estimate = Spend(SENT + written, cost, 900, 1)
    return STEP.with_options((OPTION.with_estimate(estimate, spread),))


def capped(step: Step, **problem: object) -> Problem:
    return cap_answers(Problem((step,), **problem), ESTIMATOR, Results({}))


@example(written=200, spread=0.875, room=575, risk=0.05, residuals=(0.9, -0.5) * 15)
@given(
    written=st.integers(200, 20_000),
    spread=st.floats(0, 2),
    room=st.integers(0, 30_000),
    risk=st.sampled_from([0.05, 0.3, 0.5]),
    residuals=st.sampled_from([(), (0.9, -0.5) * 15]),
)
def test_it_fits_wherever_a_useful_answer_does(written, spread, room, risk, residuals):
    problem = capped(
        expecting(written, spread), left=Budget(SENT + room), risk=risk, residuals=residuals
    )
    plan = make_plan(problem)
    assert bool(plan.chosen) == (room >= USEFUL)
    for option in plan.chosen:
        assert option.estimate.tokens <= SENT + min(room, written)
        assert 0 < option.value <= OPTION.value


def test_what_fits_with_its_margin_stays_as_it_is():
    step = expecting(1_000)
    assert capped(step, left=Budget(SENT + 5_000)).steps == (step,)


def test_a_cut_answer_is_worth_the_share_that_fits():
    problem = capped(expecting(2_000, spread=0.0), left=Budget(SENT + 500))
    (option,) = problem.steps[0].options
    assert option.estimate.tokens == SENT + 500
    assert option.value == pytest.approx(OPTION.value / 4, rel=0.01)


def test_money_caps_it_as_well():
    problem = capped(expecting(4_000), left=Budget(max_cost_usd=0.01))
    (option,) = problem.steps[0].options
    worst = SENT * 2_000 + (option.estimate.tokens - SENT) * 10_000
    assert 10_000_000 - 10_000 < worst <= 10_000_000
    assert option.estimate.cost_nano_usd <= 10_000_000


def test_other_steps_are_left_alone():
    other = replace(OPTION, name="Facts (LLM)", step="Facts", payload={"prompt": "generic"})
    step = Step("Facts", (other,))
    assert capped(step, left=Budget(SENT + 10)).steps == (step,)
