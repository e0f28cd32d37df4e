"""What the last places may add: never less than what fits, and no more than one row allows."""

from itertools import product
from math import sqrt
from random import Random

import pytest

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.problem import Problem
from thrifty.planning.risk import CONE_SCALE
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.core import CoreItem, CoreStep
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.packed_rows import PackedRows
from thrifty.planning.solver.suffix_bounds import ConcaveBound, SuffixBounds, build_bound

NOTHING = build_bound(0, 0, 0.0, [])


def height(of: ConcaveBound, room: int) -> float:
    """The curve at a room, read from its increments alone."""
    value = of.value_at_zero
    for loss, width in of.increments:
        value -= loss * min(width, max(0, room))
        room -= width
    return value


def rises(of: ConcaveBound) -> list[float]:
    return [-loss for loss, _ in of.increments]


def test_the_better_option_of_a_step_counts_for_what_it_adds_to_the_lesser_one():
    made = NOTHING.with_step([(2, 10.0), (6, 14.0)])
    assert made.increments == [(-5.0, 2), (-1.0, 4)]
    assert [height(made, room) for room in (0, 1, 2, 4, 6, 9)] == [0, 5, 10, 12, 14, 14]


def test_an_option_below_the_line_between_two_others_counts_for_nothing():
    assert NOTHING.with_step([(2, 10.0), (4, 11.0), (6, 14.0)]) == NOTHING.with_step(
        [(2, 10.0), (6, 14.0)]
    )


def test_what_takes_nothing_is_free_and_what_brings_nothing_is_left():
    made = NOTHING.with_step([(0, 3.0), (5, 2.0), (0, 1.0)]).with_step([(0, -1.0), (7, 0.0)])
    assert (made.value_at_zero, made.increments) == (3.0, [])


@pytest.mark.parametrize("seed", range(200))
def test_a_curve_is_the_dual_of_its_fractional_knapsack(seed):
    """By duality the most that fits is the least, over all prices, of what that price leaves."""
    random = Random(seed)
    steps = [
        [(random.randint(0, 9), random.uniform(-2, 9)) for _ in range(random.randint(1, 4))]
        for _ in range(random.randint(0, 5))
    ]
    made = NOTHING
    for points in steps:
        made = made.with_step(points)
    assert rises(made) == sorted(rises(made), reverse=True)
    for room in range(sum(width for _, width in made.increments) + 3):
        left = [
            price * room + sum(max([0.0, *[v - price * a for a, v in points]]) for points in steps)
            for price in [0.0, *rises(made), 1e6]
        ]
        assert height(made, room) == pytest.approx(min(left))


def made_of(random: Random, is_risky: bool) -> KnapsackModel:
    steps = []
    for i in range(random.randint(1, 5)):
        options = [
            StepOption(
                f"{i}.{j}", f"{i}", "llm", "do it",
                Spend(random.randint(0, 30), random.randint(0, 30), random.randint(0, 30), 1),
                round(random.uniform(0.1, 3), 2),
                spread=random.choice((0.0, 0.3)),
            )
            for j in range(random.randint(1, 3))
        ]  # fmt: skip
        steps.append(Step(f"{i}", tuple(options)))
    left = Budget(random.randint(10, 90), random.randint(10, 90) / 10**9, random.randint(10, 90), 4)
    return build_knapsack(Problem(tuple(steps), left, risk=0.2 if is_risky else 0.5))


def positions_of(random: Random, model: KnapsackModel, rows: PackedRows) -> list[CoreStep]:
    """Those of all steps, each paid something or paying it."""
    return [
        CoreStep(
            step,
            tuple(
                CoreItem(0.0, float(i.value), load, i)
                for i, load in zip(g, rows.pack_items(g), strict=True)
            ),
            needed=False,
            net_payment=random.uniform(-1e6, 1e6),
        )
        for step, g in enumerate(model.items)
    ]


def additions(model: KnapsackModel, positions: list[CoreStep], plan: list[KnapsackItem]):
    """What every choice among the positions brings that fits beside a plan."""
    for choice in product(*[(None, *position.items) for position in positions]):
        pairs = [(p, b) for p, b in zip(positions, choice, strict=True) if b]
        if min(model.rooms([*plan, *[branch.item for _, branch in pairs]]), default=0) >= 0:
            yield sum(branch.value + position.net_payment for position, branch in pairs)


@pytest.mark.parametrize("is_risky", [False, True])
def test_what_fits_may_always_be_added_and_what_one_row_denies_may_not(is_risky):
    denied = 0
    for seed in range(300):
        random = Random(seed)
        model = made_of(random, is_risky)
        if not model.items:
            continue
        rows = PackedRows(model)
        positions = positions_of(random, model, rows)
        place = random.randrange(len(positions))
        plan = [random.choice(model.items[step]) for step in range(place) if random.random() < 0.5]
        if min(model.rooms(plan)) < 0:
            continue
        rooms = rows.capacity_rooms - sum(rows.pack(item.amounts) for item in plan)
        variances = tuple(
            sum(i.variances[row] for i in plan if i.variances)
            for row in range(len(model.row_names))
        )
        bounds = SuffixBounds(rows, positions, len(positions))
        most = max(additions(model, positions[place:], plan))
        assert bounds.can_add(most - 1e-6 * (1 + abs(most)), place, rooms, variances)
        heights = [
            height(c, model.capacities[row] - sum(i.amounts[row] for i in plan))
            for row, c in enumerate(bounds[place])
        ]
        lowest = min(heights)
        if not any(variances):
            assert not bounds.can_add(lowest + 1e-6 * (1 + abs(lowest)), place, rooms, variances)
        elif not bounds.can_add(lowest, place, rooms, variances):
            denied += 1
    assert bool(denied) is is_risky, "margins take room, and only they"


def test_a_margin_takes_its_room():
    """A plan with a deviation of 30 leaves 40 of 70: an option of 50 counts for four fifths."""
    item = KnapsackItem(0, 10, (50,), (), (50,), "a")
    model = KnapsackModel(((item,),), ((),), (False,), (-1,), (False,), ("tokens",), (70,), 1)
    rows = PackedRows(model)
    bounds = SuffixBounds(rows, [CoreStep(0, (CoreItem(0.0, 10.0, 50, item),), False)], 1)
    variances = (30 * 30 * CONE_SCALE,)
    assert sqrt(variances[0] / CONE_SCALE) == 30
    assert bounds.can_add(8.0 - 1e-9, 0, rows.capacity_rooms, variances)
    assert not bounds.can_add(8.0 + 1e-9, 0, rows.capacity_rooms, variances)


def test_bounds_of_no_places_are_never_asked():
    rows = PackedRows(KnapsackModel(((),), ((),), (False,), (-1,), (False,), (), (), 1))
    assert SuffixBounds(rows, [CoreStep(0, (), False)], 0).start == 2
