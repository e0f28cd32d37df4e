"""What is left to decide once a good plan and a bound are known.

An option whose choice (or a step whose absence) would push the bound below the value of the
known plan is decided without a search: "reduced cost fixing", and the rest is the "core".
Source: E. Balas, E. Zemel, "An algorithm for large zero-one knapsack problems" (1980).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from thrifty.planning.model import Item, Model
from thrifty.planning.relaxation import Relaxation, Relaxed


class Branch(NamedTuple):
    """An item that may be chosen."""

    worth: float
    """Its value at the root's prices."""
    value: float
    """Its value less the trifle for its spend."""
    item: Item


@dataclass(frozen=True, slots=True)
class Position:
    """A step of the core."""

    step: int
    branches: tuple[Branch, ...]
    """Best worth first."""
    needed: bool
    """Whether every better plan has this step."""


def find_core(relaxation: Relaxation, root: Relaxed, slack: float) -> tuple[Position, ...]:
    """The steps that can matter: the needed ones first, then the most worthwhile.

    Args:
        relaxation: the problem.
        root: its bound.
        slack: how much a plan may lose against the bound and still be of interest.
    """
    taken = set(root.taken)
    places = relaxation.model.max_steps - len(relaxation.required)
    ranks = sorted((root.best[step] for step in relaxation.optional), reverse=True)
    last_in = max(0.0, ranks[places - 1]) if 0 < places <= len(ranks) else 0.0
    first_out = max(0.0, ranks[places]) if 0 <= places < len(ranks) else 0.0
    positions = []
    for step, best in enumerate(root.best):
        required = relaxation.model.required[step]
        rival = best if step in taken else last_in
        if branches := _branches(relaxation, root, step, rival - slack):
            needed = required or (step in taken and best - first_out > slack)
            positions.append(Position(step, branches, needed))
    return _in_order(_closed(relaxation.model, positions), root.best)


def _branches(relaxation: Relaxation, root: Relaxed, step: int, least: float) -> tuple[Branch, ...]:
    """The items of a step whose worth is not below the least."""
    start, end = relaxation.spans[step]
    worth = root.worth
    offset = root.best[step] - max(worth[start:end])
    kept = [
        Branch(worth[i] + offset, relaxation.values[i], relaxation.items[i])
        for i in range(start, end)
        if worth[i] + offset >= least
    ]
    kept.sort(key=_by_worth)
    return tuple(kept)


def _by_worth(branch: Branch) -> float:
    return -branch.worth


def _closed(model: Model, positions: Sequence[Position]) -> list[Position]:
    """The positions whose requirements are positions too."""
    steps = {position.step for position in positions}
    while lost := {s for s in steps if not steps.issuperset(model.requires[s])}:
        steps -= lost
    return [position for position in positions if position.step in steps]


def _in_order(positions: Sequence[Position], best: Sequence[float]) -> tuple[Position, ...]:
    return tuple(
        sorted(
            positions,
            key=lambda p: (0, len(p.branches), 0.0) if p.needed else (1, 0, -best[p.step]),
        )
    )
