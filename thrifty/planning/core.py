"""What is left to decide: the steps of a model, or those that still matter once a good plan and
a bound are known.

An option whose choice (or a step whose absence) would push the bound below the value of the
known plan is decided without a search: "reduced cost fixing", and the rest is the "core".
Source: E. Balas, E. Zemel, "An algorithm for large zero-one knapsack problems" (1980).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count, islice, repeat
from math import gcd, inf
from operator import add, gt
from typing import TYPE_CHECKING, NamedTuple

from thrifty.planning.model import Item, Model, at_once

if TYPE_CHECKING:
    from thrifty.planning.relaxation import Relaxation, Relaxed
    from thrifty.planning.rows import Rows


class Branch(NamedTuple):
    """An item that may be chosen."""

    worth: float
    """Its value at the prices of a relaxation."""
    value: float
    """Its value less the trifle for its spend."""
    load: int
    """Its amounts, as `Rows` packs them."""
    item: Item


class Position(NamedTuple):
    """A step that may be chosen."""

    step: int
    branches: tuple[Branch, ...]
    """Best worth first."""
    needed: bool
    """Whether every plan of interest has this step."""
    paid: float = 0.0
    """What the step is paid by those that require it, less what it pays for its own requirements
    and its topic."""


Core = tuple[Position, ...]
"""Positions, each with everything it requires."""


class Beside(NamedTuple):
    """What is left to choose when every step that is needed has taken the least that it can."""

    core: Core
    """The loads of needed positions are what they take on top of their least."""
    rooms: int
    """What the least of all needed steps leaves of the rows, packed."""


def beside_needed(rows: Rows, core: Core) -> Beside | None:
    """A core beside the least that its needed positions take; None when not even that fits.

    So every choice leaves room for all that must still be chosen, and is seen not to where it
    does not, for the price of one subtraction.
    """
    taken = [0] * len(rows.capacities)
    positions = []
    for position in core:
        if position.needed:
            branches = position.branches
            columns = zip(*[branch.item.amounts for branch in branches], strict=True)
            least = list(map(min, columns))
            taken = list(map(add, taken, least))
            load = rows.packed(least)
            loads = [branch._replace(load=branch.load - load) for branch in branches]
            position = position._replace(branches=tuple(loads))
        positions.append(position)
    if any(map(gt, taken, rows.capacities)):
        return None
    return Beside(tuple(positions), rows.rooms - rows.packed(taken))


def size(core: Core) -> int:
    """The number of items."""
    return sum([len(position.branches) for position in core])


def without(model: Model, core: Core, step: int) -> Core | None:
    """The part in which a step, and all that requires it, is not chosen."""
    return closed(model, [position for position in core if position.step != step])


def narrowed(model: Model, core: Core, step: int, branches: Sequence[Branch]) -> Core | None:
    """The part in which one of these items of a step is chosen."""
    chosen = Position(step, tuple(branches), True)
    return closed(model, [chosen if p.step == step else p for p in core])


def whole(model: Model, rows: Rows) -> Core:
    """Everything is open."""
    items = list(chain.from_iterable(model.items))
    branches = at_once(Branch, repeat(0.0), _values(items), rows.loads(items), items)
    groups = [tuple(islice(branches, len(group))) for group in model.items]
    return tuple(at_once(Position, count(), groups, model.required, repeat(0.0)))


def restricted(model: Model, core: Core) -> Model:
    """The model that knows nothing but a core; the numbers of the steps stay."""
    kept = {position.step: position for position in core}
    steps = range(len(model.items))
    return replace(
        model,
        items=tuple([_items_of(kept[step]) if step in kept else () for step in steps]),
        required=tuple([step in kept and kept[step].needed for step in steps]),
    )


def _items_of(position: Position) -> tuple[Item, ...]:
    return tuple([branch.item for branch in position.branches])


def reduced(relaxation: Relaxation, root: Relaxed, slack: float) -> Core | None:
    """The positions that can matter: the needed ones first, then the most worthwhile.

    Args:
        relaxation: the problem.
        root: its bound.
        slack: how much a plan may lose against the bound and still be of interest.
    """
    taken = set(root.taken)
    ranks = sorted([root.best[place] for place in relaxation.optional], reverse=True)
    free = relaxation.free
    last_in = max(0.0, ranks[free - 1]) if 0 < free <= len(ranks) else 0.0
    first_out = max(0.0, ranks[free]) if 0 <= free < len(ranks) else 0.0
    positions = []
    for place, position in enumerate(relaxation.core):
        best = root.best[place]
        is_taken = place in taken
        least = (best if is_taken else last_in) - slack
        if best >= least:
            needed = position.needed or (is_taken and best - first_out > slack)
            branches = _branches(relaxation, root, place, least)
            paid = best - root.tops[place]
            positions.append(Position(position.step, branches, needed, paid))
    return closed(relaxation.model, positions)


def _branches(
    relaxation: Relaxation, root: Relaxed, place: int, least: float
) -> tuple[Branch, ...]:
    """The items of a position whose worth is not below the least, best first."""
    branches, best = relaxation.core[place].branches, root.best[place]
    if len(branches) == 1:
        return (Branch(best, *branches[0][1:]),)
    worth = root.worth[relaxation.slices[place]]
    offset = best - root.tops[place]
    kept = [
        Branch(w + offset, branch.value, branch.load, branch.item)
        for w, branch in zip(worth, branches, strict=True)
        if w + offset >= least
    ]
    kept.sort(key=_by_worth)
    return tuple(kept)


def _by_worth(branch: Branch) -> float:
    return -branch.worth


def closed(model: Model, positions: Sequence[Position]) -> Core | None:
    """The positions whose requirements are positions too; what a needed one requires is needed.

    Returns:
        The positions in the order of a search: what is surest to be chosen comes first, what is
        surest not to be comes last. None when a needed one is lost, or too many are
        needed, so that there is no plan.
    """
    by_step = {position.step: position for position in positions}
    requires = model.requires
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
    needed.sort(key=_loss, reverse=True)
    optional.sort(key=_worth, reverse=True)
    if len(by_step) > model.max_steps:
        return (*needed, *optional)
    # Whatever is worth something may be taken: what is least sure of it comes last of that.
    gaining = [position for position in optional if _worth(position) > 0.0]
    rest = optional[len(gaining) :]
    return (*sorted([*needed, *gaining], key=_loss, reverse=True), *rest)


def _worth(position: Position) -> float:
    return position.branches[0].worth


def _loss(position: Position) -> float:
    """What it costs to take the second best choice of a position."""
    branches = position.branches
    second = branches[1].worth if len(branches) > 1 else -inf
    return branches[0].worth - (second if position.needed else max(0.0, second))


def _values(items: Sequence[Item]) -> list[float]:
    """The values of items less a trifle for their spend, so that the lower one wins a tie.

    It is in proportion to the first resource that anything uses, and less than one unit a plan.
    """
    for place in range(len(items[0].spend)):
        spends = [item.spend[place] for item in items]
        if common := gcd(*spends):
            trifle = 1.0 / (sum(spends) + common)
            return [item.value - spend * trifle for item, spend in zip(items, spends, strict=True)]
    return [float(item.value) for item in items]
