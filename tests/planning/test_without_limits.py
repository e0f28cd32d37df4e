"""The best without limits, and what share of it a plan is worth, against every plan there is."""

from dataclasses import replace
from random import Random

import pytest

from tests.long_cases import long_but
from tests.planning.brute import brute_force
from tests.planning.families import tutorial_like
from tests.planning.instances import role_problem, small_problem
from thrifty import Budget, Plan, Spend, Step, StepOption
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.without_limits import best_without_limits


def unlimited(problem: Problem) -> Problem:
    return replace(problem, left=Budget(), spent=Spend(), kept_back=Spend())


@pytest.mark.parametrize("make", [small_problem, role_problem], ids=lambda make: make.__name__)
@pytest.mark.parametrize("seeds", long_but([range(150), range(150, 900)], range(150)))
def test_it_is_the_value_of_the_best_of_all_plans_that_money_cannot_limit(make, seeds):
    counts = {"all": 0, "part": 0}
    for seed in seeds:
        problem = make(Random(seed))
        every = brute_force(unlimited(problem))
        best = best_without_limits(problem)
        assert best == (None if every is None else pytest.approx(-float(every[0][0]))), seed
        plan = make_plan(problem, "exact").told_with(best)
        if plan.status == "infeasible" or plan.share is None:
            continue
        limited = brute_force(problem)
        assert limited is not None
        # Where the best plan of all fits, no limit binds, and it is what is planned.
        fits = limited[0][0] == every[0][0]
        assert plan.share == (1.0 if fits else pytest.approx(plan.value / best)), seed
        assert plan.share <= 1.0
        counts["all" if fits else "part"] += 1
    assert min(counts.values()) > len(seeds) / 10


def test_without_a_limit_a_plan_has_all_of_it():
    for seed in range(40):
        problem = unlimited(role_problem(Random(seed)))
        plan = make_plan(problem, "exact").told_with(best_without_limits(problem))
        assert plan.share in (1.0, None), seed


def test_other_values_may_decide_than_are_told():
    """A step that is not worth its trouble is not in the best plan, either."""

    def steps(*values: float) -> tuple[Step, ...]:
        return tuple(
            Step(name, (StepOption(f"{name} (llm)", name, "llm", "Do it.", Spend(1), value),))
            for name, value in zip("abc", values, strict=True)
        )

    told = Problem(steps(50.0, 9.0, 4.0), Budget(max_tokens=1))
    assert best_without_limits(told) == 63.0
    assert best_without_limits(told, steps(49.0, 8.0, 0.0)) == 59.0


def test_of_thousands_of_options_it_is_soon_known():
    """Counted in nodes: what a search without limits takes at most is a fraction of one with."""
    problem = tutorial_like(Random(1), 500, max_steps=None)
    best = best_without_limits(problem)
    assert best == pytest.approx(make_plan(unlimited(problem), "exact").value)


@pytest.mark.parametrize(
    ("value", "best", "share"),
    [
        (65.0, 80.0, 0.8125),
        (80.0, 80.0000001, 1.0),
        (0.0, 80.0, 0.0),
        (0.0, 0.0, None),
        (5.0, None, None),
        (-1.0, 80.0, None),
    ],
)
def test_the_share_of_a_plan(value, best, share):
    plan = Plan("optimal", "exact", value=value, bound=value).told_with(best)
    assert plan.share == share
    assert Plan.from_state(plan.to_state()) == plan
    assert plan.to_state()["share"] == share


def test_no_plan_is_worth_more_than_the_best():
    """One that was chosen with fees may be worth more than the one that would be without limits."""
    assert Plan("optimal", "exact", value=81.0).told_with(80.0).share == 1.0
