"""What the next bit of budget buys is what a plan with that much more really has."""

import json
from random import Random

import pytest

from tests.planning.families import tutorial_like
from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.frontier import frontier_point
from thrifty.planning.problem import Problem
from thrifty.planning.upgrade import find_upgrades


@pytest.mark.parametrize("seed", range(6))
def test_with_that_much_more_the_plan_is_better_and_with_one_less_it_is_not(seed):
    problem = tutorial_like(Random(seed), 12)
    now = frontier_point(problem, problem.left)
    for upgrade in find_upgrades(problem):
        better = frontier_point(
            problem, problem.left.raised_by({upgrade.resource: upgrade.increase})
        )
        before = frontier_point(
            problem, problem.left.raised_by({upgrade.resource: upgrade.increase - 1})
        )
        assert before.value == now.value
        assert better.value - now.value == upgrade.gain > 0
        assert set(better.options) - set(now.options) == set(upgrade.adds)
        assert set(now.options) - set(better.options) == set(upgrade.drops)
        json.dumps(upgrade.to_state())


def test_a_limit_that_keeps_nothing_out_buys_nothing():
    options = tuple(
        StepOption(f"A {name}", "A", "local", "Do it.", Spend(tokens=tokens), value)
        for name, tokens, value in (("small", 100, 1.0), ("large", 200, 5.0))
    )
    problem = Problem((Step("A", options),), Budget(150, None, None, 9), risk=0.5)
    (found,) = find_upgrades(problem)
    assert (found.resource, found.increase, found.gain) == ("tokens", 50, 4.0)
    assert (found.adds, found.drops) == (("A large",), ("A small",))
    assert find_upgrades(Problem(problem.steps, Budget(200), risk=0.5)) == ()
