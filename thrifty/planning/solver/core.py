"""What is left to decide: the steps of a model, or those that still matter once a good plan and
a bound are known (see `reduced_cost_fixing`)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count, islice, repeat
from math import gcd, inf
from operator import add, gt
from typing import NamedTuple

from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem, make_tuples
from thrifty.planning.solver.packed_rows import PackedRows


class CoreItem(NamedTuple):
    """An item that may be chosen."""

    reduced_value: float
    """Its reduced value: the value less what its amounts cost at the prices of a relaxation."""
    value: float
    """Its value less a tiny amount for its spend, which breaks ties in favour of the cheaper."""
    packed_amounts: int
    """Its amounts, as `PackedRows` packs them."""
    item: KnapsackItem


class CoreStep(NamedTuple):
    """A step that may be chosen."""

    step: int
    items: tuple[CoreItem, ...]
    """Best worth first."""
    needed: bool
    """Whether every plan that can still be better has this step."""
    net_payment: float = 0.0
    """What the step is paid by those that require it, less what it pays for its own requirements
    and its topic."""


Core = tuple[CoreStep, ...]
"""Core steps, each with everything it requires."""


class Beside(NamedTuple):
    """What is left to choose when every step that is needed has taken the least that it can."""

    core: Core
    """The loads of needed positions are what they take on top of their least."""
    rooms: int
    """What the least of all needed steps leaves of the rows, packed."""


def beside_needed(rows: PackedRows, core: Core) -> Beside | None:
    """A core beside the least that its needed positions take; None when not even that fits.

    So every choice leaves room for all that must still be chosen, and is seen not to where it
    does not, for the price of one subtraction.
    """
    taken = [0] * len(rows.capacities)
    positions = []
    for position in core:
        if position.needed:
            branches = position.items
            columns = zip(*[branch.item.amounts for branch in branches], strict=True)
            least = list(map(min, columns))
            taken = list(map(add, taken, least))
            load = rows.pack(least)
            loads = [
                branch._replace(packed_amounts=branch.packed_amounts - load) for branch in branches
            ]
            position = position._replace(items=tuple(loads))
        positions.append(position)
    if any(map(gt, taken, rows.capacities)):
        return None
    return Beside(tuple(positions), rows.capacity_rooms - rows.pack(taken))


def count_items(core: Core) -> int:
    """The number of items."""
    return sum([len(position.items) for position in core])


def fix_step(
    model: KnapsackModel, core: Core, step: int, branches: Sequence[CoreItem]
) -> Core | None:
    """The part of the core in which one of these items of a step is chosen."""
    chosen = CoreStep(step, tuple(branches), True)
    return close_requirements(model, [chosen if p.step == step else p for p in core])


def split_core(model: KnapsackModel, core: Core) -> list[Core | None]:
    """Splits a core in two that hold every plan of it between them, the likelier one last.

    The step to split at is the one whose worth is nearest to making no difference.
    """
    optional = [position for position in core if not position.needed]
    free = model.max_steps - (len(core) - len(optional))
    if optional:
        edge = max(0.0, optional[free].items[0].reduced_value) if free < len(optional) else 0.0
        middle = min(optional, key=lambda p: abs(p.items[0].reduced_value - edge))
        return [
            close_requirements(model, [position for position in core if position is not middle]),
            fix_step(model, core, middle.step, middle.items),
        ]
    middle = min(
        (position for position in core if len(position.items) > 1),
        key=lambda p: p.items[0].reduced_value - p.items[1].reduced_value,
    )
    return [
        fix_step(model, core, middle.step, middle.items[1:]),
        fix_step(model, core, middle.step, middle.items[:1]),
    ]


def whole_core(model: KnapsackModel, rows: PackedRows) -> Core:
    """The core of the whole problem: nothing is decided yet."""
    items = list(chain.from_iterable(model.items))
    branches = make_tuples(
        CoreItem, repeat(0.0), _values_less_spend(items), rows.pack_items(items), items
    )
    groups = [tuple(islice(branches, len(group))) for group in model.items]
    return tuple(make_tuples(CoreStep, count(), groups, model.is_required, repeat(0.0)))


def restrict_to_core(model: KnapsackModel, core: Core) -> KnapsackModel:
    """The model that knows nothing but a core; the numbers of the steps stay."""
    items: list[tuple[KnapsackItem, ...]] = [()] * len(model.items)
    is_required = [False] * len(model.items)
    for position in core:
        items[position.step] = tuple([branch.item for branch in position.items])
        is_required[position.step] = position.needed
    return replace(model, items=tuple(items), is_required=tuple(is_required))


def close_requirements(model: KnapsackModel, positions: Sequence[CoreStep]) -> Core | None:
    """Keeps the steps whose requirements are kept too; what a needed step requires is needed.

    Returns:
        The steps in the order of a search: what is surest to be chosen comes first, what is
        surest not to be comes last. None when a needed one is dropped, or too many are
        needed, so that there is no plan.
    """
    by_step = {position.step: position for position in positions}
    requires = model.requires
    # Again and again, as what requires a step that is lost is lost with it.
    while lost := [s for s in by_step if requires[s] and not by_step.keys() >= set(requires[s])]:
        for step in lost:
            if by_step.pop(step).needed:
                return None
    queue = [step for step, position in by_step.items() if position.needed]
    for step in queue:
        for requirement in requires[step]:
            if not by_step[requirement].needed:
                by_step[requirement] = by_step[requirement]._replace(needed=True)
                queue.append(requirement)
    if len(queue) > model.max_steps:
        return None
    needed = [position for position in by_step.values() if position.needed]
    optional = [position for position in by_step.values() if not position.needed]
    needed.sort(key=_regret, reverse=True)
    optional.sort(key=_best_reduced_value, reverse=True)
    if len(by_step) > model.max_steps:
        return (*needed, *optional)
    # Whatever is worth something may be taken: what is least sure of it comes last of that.
    gaining = [position for position in optional if _best_reduced_value(position) > 0.0]
    rest = optional[len(gaining) :]
    return (*sorted([*needed, *gaining], key=_regret, reverse=True), *rest)


def _best_reduced_value(position: CoreStep) -> float:
    return position.items[0].reduced_value


def _regret(position: CoreStep) -> float:
    """The value lost by the second best choice for a step."""
    branches = position.items
    second = branches[1].reduced_value if len(branches) > 1 else -inf
    return branches[0].reduced_value - (second if position.needed else max(0.0, second))


def _values_less_spend(items: Sequence[KnapsackItem]) -> list[float]:
    """The values of items less a tiny amount for their spend, so that the lower one wins a tie.

    It is in proportion to the first resource that anything uses, and less than one unit a plan.
    """
    for place in range(len(items[0].spend)):
        spends = [item.spend[place] for item in items]
        if common := gcd(*spends):
            trifle = 1.0 / (sum(spends) + common)
            return [item.value - spend * trifle for item, spend in zip(items, spends, strict=True)]
    return [float(item.value) for item in items]
