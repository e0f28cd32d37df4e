"""The exact engine: a good plan, a bound, the core between them, and a search of the core."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

from thrifty.planning.core import find_core
from thrifty.planning.greedy import by_density, by_worth
from thrifty.planning.model import Item, Model
from thrifty.planning.relaxation import Relaxation, descend
from thrifty.planning.search import Best, Expired, Search

EPSILON = 1e-11
"""Relative error allowed to sums of floats: far above what rounding makes of them."""
NODES_MAX = 5_000_000
ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Found:
    """What an engine found."""

    items: tuple[Item, ...]
    """The chosen items; none when there is no plan."""
    bound: int
    """No plan is worth more than this many units."""
    nodes: int = 0
    is_proven: bool = True
    """Whether the search ended by itself: then the plan is best, or there is none."""
    is_plan: bool = True
    """Whether the chosen items are a plan."""


def never() -> bool:
    """A clock that does not run out."""
    return False


def search_exactly(model: Model, nodes_max: int = NODES_MAX, expired: Expired = never) -> Found:
    """The best plan of a model, or the best that the allowance of nodes and time finds."""
    nothing = model.is_plan(())
    if model.impossible or not model.items:
        return Found((), 0, is_plan=nothing)
    relaxation = Relaxation(model)
    best = Best((), 0.0 if nothing else -inf, inf)
    improve(best, relaxation, by_density(relaxation))
    root = descend(relaxation, relaxation.start(best.value), best.value, ROUNDS)
    improve(best, relaxation, by_worth(relaxation, root))
    tolerance = EPSILON * (abs(root.bound) + sum(map(abs, root.best)) + 1.0)
    positions = find_core(relaxation, root, root.bound - best.value + tolerance)
    constant = root.bound - sum(root.best[step] for step in root.taken)
    search = Search(model, positions, constant)
    is_proven = search.run(best, tolerance, nodes_max, expired)
    return found(model, best, is_proven, tolerance)


def improve(best: Best, relaxation: Relaxation, plan: Sequence[Item]) -> None:
    """Takes a plan for the best, if it is."""
    if plan:
        value = relaxation.value(plan)
        if value > best.value:
            best.items, best.value = tuple(plan), value


def found(model: Model, best: Best, is_proven: bool, tolerance: float) -> Found:
    """The result of a search, its bound rounded to whole units."""
    if best.value == -inf:
        return Found((), 0 if is_proven else floor(best.bound + 1.0), best.nodes, is_proven, False)
    value = model.worth(best.items)
    # Less than one unit is taken off for the spend: what was taken off is no bound's to keep.
    bound = value if is_proven else max(value, floor(best.bound + tolerance + 1.0))
    return Found(best.items, bound, best.nodes, is_proven)
