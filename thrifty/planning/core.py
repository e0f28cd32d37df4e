"""What is left to decide: the steps of a model, or those that still matter once a good plan and
a bound are known.

An option whose choice (or a step whose absence) would push the bound below the value of the
known plan is decided without a search: "reduced cost fixing", and the rest is the "core".
Source: E. Balas, E. Zemel, "An algorithm for large zero-one knapsack problems" (1980).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from thrifty.planning.model import Item, Model

if TYPE_CHECKING:
    from thrifty.planning.relaxation import Relaxation, Relaxed


class Branch(NamedTuple):
    """An item that may be chosen."""

    worth: float
    """Its value at the prices of a relaxation."""
    value: float
    """Its value less the trifle for its spend."""
    item: Item


class Position(NamedTuple):
    """A step that may be chosen."""

    step: int
    branches: tuple[Branch, ...]
    """Best worth first."""
    needed: bool
    """Whether every plan of interest has this step."""


Core = tuple[Position, ...]
"""Positions, each with everything it requires."""


def without(model: Model, core: Core, step: int) -> Core | None:
    """The part in which a step, and all that requires it, is not chosen."""
    return closed(model, [position for position in core if position.step != step])


def narrowed(model: Model, core: Core, step: int, branches: Sequence[Branch]) -> Core | None:
    """The part in which one of these items of a step is chosen."""
    chosen = Position(step, tuple(branches), True)
    return closed(model, [chosen if p.step == step else p for p in core])


def whole(model: Model) -> Core:
    """Everything is open."""
    trifle_of = _trifles(model)
    return tuple(
        Position(
            step,
            tuple([Branch(0.0, item.value - trifle_of(item), item) for item in group]),
            model.required[step],
        )
        for step, group in enumerate(model.items)
    )


def reduced(relaxation: Relaxation, root: Relaxed, slack: float) -> Core | None:
    """The positions that can matter: the needed ones first, then the most worthwhile.

    Args:
        relaxation: the problem.
        root: its bound.
        slack: how much a plan may lose against the bound and still be of interest.
    """
    taken = set(root.taken)
    ranks = sorted((root.best[place] for place in relaxation.optional), reverse=True)
    free = relaxation.free
    last_in = max(0.0, ranks[free - 1]) if 0 < free <= len(ranks) else 0.0
    first_out = max(0.0, ranks[free]) if 0 <= free < len(ranks) else 0.0
    positions = []
    for place, position in enumerate(relaxation.core):
        best = root.best[place]
        rival = best if place in taken else last_in
        if branches := _branches(relaxation, root, place, rival - slack):
            needed = position.needed or (place in taken and best - first_out > slack)
            positions.append(Position(position.step, branches, needed))
    return closed(relaxation.model, positions)


def _branches(
    relaxation: Relaxation, root: Relaxed, place: int, least: float
) -> tuple[Branch, ...]:
    """The items of a position whose worth is not below the least."""
    start, end = relaxation.spans[place]
    worth = root.worth[start:end]
    offset = root.best[place] - max(worth)
    kept = [
        Branch(w + offset, branch.value, branch.item)
        for w, branch in zip(worth, relaxation.core[place].branches, strict=True)
        if w + offset >= least
    ]
    kept.sort(key=_by_worth)
    return tuple(kept)


def _by_worth(branch: Branch) -> float:
    return -branch.worth


def closed(model: Model, positions: Sequence[Position]) -> Core | None:
    """The positions whose requirements are positions too; what a needed one requires is needed.

    Returns:
        The positions in the order of a search; None when a needed one is lost, or too many are
        needed, so that there is no plan.
    """
    by_step = {position.step: position for position in positions}
    while lost := [s for s in by_step if any(r not in by_step for r in model.requires[s])]:
        for step in lost:
            if by_step.pop(step).needed:
                return None
    queue = [step for step, position in by_step.items() if position.needed]
    for step in queue:
        for requirement in model.requires[step]:
            if not by_step[requirement].needed:
                by_step[requirement] = by_step[requirement]._replace(needed=True)
                queue.append(requirement)
    if len(queue) > model.max_steps:
        return None
    return tuple(
        sorted(
            by_step.values(),
            key=lambda p: (0, len(p.branches)) if p.needed else (1, -p.branches[0].worth),
        )
    )


def _trifles(model: Model) -> Callable[[Item], float]:
    """What to take off a value so that the lower spend wins a tie: less than one unit a plan,
    in proportion to the first resource that anything uses."""
    for place in range(len(next((g[0].spend for g in model.items), ()))):
        spends = [item.spend[place] for group in model.items for item in group]
        if common := gcd(*spends):
            most = sum(max(item.spend[place] for item in group) for group in model.items)
            unit = 1.0 / (most + common)
            return lambda item: item.spend[place] * unit
    return lambda item: 0.0
