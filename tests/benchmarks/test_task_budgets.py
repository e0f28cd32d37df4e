"""The budgets of the tasks hold what their names say, in the planner's own eyes."""

from dataclasses import replace

import pytest

from benchmarks.tasks.budgets import BUDGETS, CHEAP, STRONG, generous, money, one_call, three_calls
from thrifty import Spend, Step, StepOption
from thrifty.models.costs.usage import Usage
from thrifty.options import priors
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import MAX_STEPS_DEFAULT, Problem


def direct(read=1_000, price=STRONG):
    """A direct answer as it is estimated for a task of so many tokens, at a price."""
    usage = Usage(priors.INSTRUCTION_TOKENS + read, priors.OUTPUT_TOKENS)
    return StepOption(
        name="Answer (strong)",
        step="Answer",
        executor="llm",
        description="Answer what was asked.",
        estimate=Spend(usage.tokens, int(price.usd(usage) * 10**9), 0, 1),
        value=80.0,
        spread=priors.SPREAD,
        output_tokens=usage.output_tokens,
    )


def how_many_fit(option, budget):
    """How many steps of this size a plan has room for, with its margin for risk."""
    names = [f"Step {number}" for number in range(30)]
    steps = tuple(Step(name, (replace(option, name=name, step=name),)) for name in names)
    return len(make_plan(Problem(steps, budget, max_steps=30)).chosen)


@pytest.mark.parametrize("read", [50, 1_000, 5_000])
def test_they_hold_as_many_calls_as_they_say(read):
    answer = direct(read)
    assert how_many_fit(answer, one_call(answer)) == 1
    assert how_many_fit(answer, three_calls(answer)) in (3, 4)
    assert how_many_fit(answer, generous(answer)) >= 2 * MAX_STEPS_DEFAULT


def test_money_pays_three_strong_calls_or_five_times_as_many_cheap_ones():
    answer = direct()
    assert how_many_fit(answer, money(answer)) in (3, 4)
    assert how_many_fit(direct(price=CHEAP), money(answer)) >= 5 * 3
    assert money(answer).max_tokens is None


def limits(read, words=None):
    """What each budget comes to."""
    given = [budget(direct(read), words) for budget in BUDGETS.values()]
    return [budget.max_tokens or budget.max_cost_usd for budget in given]


def test_each_grows_with_what_is_read_and_with_a_stated_length():
    assert all(a < b for a, b in zip(limits(50), limits(5_000), strict=True))
    assert all(a < b for a, b in zip(limits(50), limits(50, 2_500), strict=True))
    assert limits(50) == limits(50, 100), "an answer is estimated to be longer than that anyway"


def test_one_call_holds_an_answer_of_the_stated_length():
    assert one_call(direct(50), 2_500).max_tokens >= 2_500 * 1.6 + 230
