"""The exact engine: bounds and good plans narrow the problem to a core, a search settles it.

A core too large to be searched at once is split in two, with and without the step that the
bound is least sure of, and each half is bounded anew: branch and bound in the large around
enumeration in the small.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, inf

from thrifty.planning.core import Core, narrowed, reduced, whole, without
from thrifty.planning.descent import descend, first_prices
from thrifty.planning.greedy import by_density, by_worth
from thrifty.planning.model import Item, Model
from thrifty.planning.relaxation import Prices, Relaxation, Relaxed, row_units
from thrifty.planning.result import STOP_NEVER, Found, Stop
from thrifty.planning.search import Best, Search

EPSILON = 1e-11
"""Relative error allowed to sums of floats: far above what rounding makes of them."""
STAGES = {
    0: ((12, 600), (40, 4_000)),
    150: ((16, 600), (40, 4_000)),
    2_000: ((40, 0), (40, 2_000)),
}
"""From a number of items on: how many prices are tried for the whole problem, and how many nodes
of its core are then searched; first as for an easy problem, then as for a hard one."""
STAGE_BELOW = (16, 4_000)
"""The same for a part of it."""
MOST = 1e300
"""Instead of infinity, which is no whole number."""
SMALL = 45
"""A core of so few items is searched at once."""
SHRUNK = 0.7
"""A core that has become this much smaller is worth new prices."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the problem that is still open."""

    core: Core
    prices: Prices
    bound: float


def search_exactly(model: Model, known: Sequence[Item] = (), stop: Stop = STOP_NEVER) -> Found:
    """The best plan of a model, or the best that the allowance finds.

    Args:
        model: the problem.
        known: a plan to start from.
        stop: the allowance.
    """
    if model.impossible or not model.items:
        return Found((), 0, is_plan=model.is_plan(()))
    return _Exact(model, stop).run(known)


class _Exact:
    """One run of the engine."""

    def __init__(self, model: Model, stop: Stop) -> None:
        self.model = model
        self.stop = stop
        self.units = row_units(model)
        self.best = Best((), 0.0 if model.is_plan(()) else -inf, inf)
        self.tolerance = 0.0

    def run(self, known: Sequence[Item]) -> Found:
        """Narrows, searches, splits, until nothing is open or the allowance is used up."""
        core = whole(self.model)
        relaxation = Relaxation(self.model, core, self.units)
        self.meet(relaxation, known)
        self.meet(relaxation, by_density(relaxation))
        topics = max(self.model.topics, default=-1) + 1
        parts = [Part(core, first_prices(relaxation, self.best.value, topics), inf)]
        for rounds, nodes in next(s for n, s in reversed(STAGES.items()) if size(core) >= n):
            if not parts or self.is_over():
                break
            parts = self.remains(parts.pop(), rounds, nodes)
        while parts:
            if self.is_over():
                return self.found(max(part.bound for part in parts), is_proven=False)
            part = parts.pop()
            if part.bound < self.best.value - self.tolerance:
                continue
            for half in split(self.model, part.core):
                if half is not None:
                    parts += self.remains(Part(half, part.prices, part.bound), *STAGE_BELOW)
        return self.found(self.best.value, is_proven=True)

    def is_over(self) -> bool:
        """Whether the allowance is used up."""
        return self.best.nodes >= self.stop.nodes_max or self.stop.is_over()

    def remains(self, part: Part, rounds: int, nodes: int) -> list[Part]:
        """Settles a part, or says what remains of it."""
        core, prices = part.core, part.prices
        while True:
            self.best.nodes += 1
            relaxation = Relaxation(self.model, core, self.units)
            at = self.bounded(relaxation, prices, rounds)
            if not self.tolerance:
                self.tolerance = EPSILON * (abs(at.bound) + sum(map(abs, at.best)) + 1.0)
            slack = at.bound - self.best.value + self.tolerance
            smaller = reduced(relaxation, at, slack) if slack >= 0 else None
            if smaller is None:
                return []
            prices = at.prices
            if size(smaller) >= SHRUNK * size(core) or size(smaller) <= SMALL:
                break
            core = smaller
        rest = [Part(smaller, prices, min(part.bound, at.bound))]
        if not nodes:
            return rest
        nodes_max = min(self.stop.nodes_max, self.best.nodes + nodes + len(smaller))
        search = Search(self.model, smaller, at.constant)
        if search.run(self.best, self.tolerance, replace(self.stop, nodes_max=nodes_max)):
            return []
        return rest

    def bounded(self, relaxation: Relaxation, prices: Prices, rounds: int) -> Relaxed:
        """The lowest bound found, plans noted on the way."""
        return descend(
            relaxation,
            prices,
            lambda: self.best.value,
            rounds,
            lambda at: self.meet(relaxation, by_worth(relaxation, at)),
        )

    def meet(self, relaxation: Relaxation, plan: Sequence[Item]) -> None:
        """Takes a plan for the best, if it is."""
        if plan:
            value = relaxation.value(plan)
            if value > self.best.value:
                self.best.items, self.best.value = tuple(plan), value

    def found(self, bound: float, *, is_proven: bool) -> Found:
        """The result, its bound rounded to whole units."""
        best = self.best
        if best.value == -inf:
            units = 0 if is_proven else floor(min(bound, MOST) + 1.0)
            return Found((), units, best.nodes, is_proven, is_plan=False)
        value = self.model.worth(best.items)
        # Less than one unit was taken off for the spend; a bound must not profit from it.
        units = value if is_proven else max(value, floor(min(bound, MOST) + self.tolerance + 1.0))
        return Found(best.items, units, best.nodes, is_proven or units == value)


def size(core: Core) -> int:
    """The number of items."""
    return sum(len(position.branches) for position in core)


def split(model: Model, core: Core) -> list[Core | None]:
    """Two parts that hold every plan of the core between them, the likelier one last.

    The step to split at is the one whose worth is nearest to making no difference.
    """
    optional = [position for position in core if not position.needed]
    free = model.max_steps - (len(core) - len(optional))
    if optional:
        edge = max(0.0, optional[free].branches[0].worth) if free < len(optional) else 0.0
        middle = min(optional, key=lambda p: abs(p.branches[0].worth - edge))
        return [
            without(model, core, middle.step),
            narrowed(model, core, middle.step, middle.branches),
        ]
    middle = min(
        (position for position in core if len(position.branches) > 1),
        key=lambda p: p.branches[0].worth - p.branches[1].worth,
    )
    return [
        narrowed(model, core, middle.step, middle.branches[1:]),
        narrowed(model, core, middle.step, middle.branches[:1]),
    ]
