"""Where a descent begins, and how its slopes are turned away from where it came from."""

from decimal import Decimal
from random import Random

import pytest

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.problem import Problem
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.core import whole_core
from thrifty.planning.solver.packed_rows import PackedRows
from thrifty.planning.solver.relaxation import DualPrices, Relaxation
from thrifty.planning.solver.subgradient import deflect, initial_prices


def test_what_leads_back_is_left_out_and_no_more():
    slopes = deflect(DualPrices([1.0, 2.0], {(0, 1): -1.0}, {3: 1.0}), [-2.0, 0.0])
    assert slopes.rows == pytest.approx([0.0, 2.0])
    assert slopes.arcs == {(0, 1): -1.0}
    assert slopes.topics == {3: 1.0}


def test_slopes_that_lead_on_stay():
    slopes = DualPrices([1.0, 2.0], {}, {})
    assert deflect(slopes, [1.0, -0.4]) is slopes
    assert deflect(slopes, ()) is slopes


def test_a_slope_straight_back_stays_so_that_a_single_row_has_one():
    slopes = DualPrices([3.0], {}, {})
    assert deflect(slopes, [-1.0]) is slopes


def test_a_turned_slope_is_at_right_angles_to_the_last_and_still_leads_down():
    random = Random(0)
    for _ in range(1_000):
        rows, before = ([random.uniform(-1, 1) for _ in range(4)] for _ in range(2))
        slopes = DualPrices(rows, {}, {})
        after = deflect(slopes, before)
        if after is not slopes:
            assert sum(a * b for a, b in zip(after.rows, before, strict=True)) == pytest.approx(0)
            assert sum(a * b for a, b in zip(after.rows, rows, strict=True)) > 0


def relaxation_of(problem: Problem) -> Relaxation:
    model = build_knapsack(problem)
    rows = PackedRows(model)
    return Relaxation(model, whole_core(model, rows), rows)


def test_the_first_prices_go_by_the_squares_of_what_a_plan_uses():
    option = StepOption("a", "step", "local", "do it", Spend(80, 0, 40, 0), 1.0)
    problem = Problem((Step("step", (option,)),), Budget(100, Decimal(1), 100))
    relaxation = relaxation_of(problem)
    tokens, cost, latency = initial_prices(relaxation, relaxation.items).rows
    assert tokens == pytest.approx(4 * latency)
    assert latency > cost == 0.0
    assert initial_prices(relaxation, ()).rows == [0.0] * 3


@pytest.mark.parametrize("penalty", [0.25, 0.0])
def test_a_topic_costs_at_first_what_the_last_step_of_a_plan_on_it_loses(penalty):
    topics = {"1": "thrice", "2": "thrice", "3": "thrice", "4": "once", "5": "once", "6": "alone"}
    steps = tuple(
        Step(name, (StepOption(name, name, "local", "do it", Spend(10), 1.0),), topic=topic)
        for name, topic in topics.items()
    )
    relaxation = relaxation_of(Problem(steps, Budget(1000), diversity_penalty=penalty))
    plan = [item for item in relaxation.items if item.name != "5"]
    model, prices = relaxation.model, initial_prices(relaxation, plan)
    thrice, once = model.topics[0], model.topics[3]
    assert prices.topics == ({thrice: 2 * model.penalty, once: 0.0} if penalty else {})
    at = relaxation.solve(prices)._replace(chosen_places=[0, 1, 2, 3, 5])
    assert not relaxation.slopes(at).topics, "the plan itself leaves them as they are"
