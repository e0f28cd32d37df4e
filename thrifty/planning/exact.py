"""The exact engine: bounds and good plans narrow the problem to a core, a search settles it.

A core too large to be searched at once is split in two, with and without the step that the
bound is least sure of, and each half is bounded anew: branch and bound in the large around
enumeration in the small.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor, inf

from thrifty.planning.chord import Margins
from thrifty.planning.core import Core, beside_needed, narrowed, reduced, size, whole, without
from thrifty.planning.descent import RowsOnly, descend, first_prices
from thrifty.planning.greedy import Draft, by_density, by_worth
from thrifty.planning.leeway import leeway
from thrifty.planning.model import Item, Model
from thrifty.planning.relaxation import Prices, Relaxation, Relaxed
from thrifty.planning.result import STOP_NEVER, Found, Stop
from thrifty.planning.rows import Rows
from thrifty.planning.search import Best, Search
from thrifty.planning.settling import Settling
from thrifty.planning.sifting import promising
from thrifty.planning.walk import FEW

EPSILON = 1e-11
"""Relative error allowed to sums of floats: far above what rounding makes of them."""
STAGES = {
    0: ((1, 6_000), (40, 15_000)),
    16: ((3, 6_000), (40, 15_000)),
    25: ((12, 1_000), (20, 15_000)),
    150: ((16, 8_000), (40, 30_000)),
}
"""From a number of items on: how many prices are tried for the whole problem, and how many nodes
of its core are then searched; first as for an easy problem, then as for a hard one."""
STAGES_SHORT = {
    25: ((16, 1_000), (20, 15_000)),
    150: ((1, 10_000), (24, 80_000)),
    500: ((1, 10_000), (24, 500_000)),
}
"""The same where it is the number of steps that limits a plan."""
LARGE = 150
"""From so many items on, good prices are found before the whole problem is bounded: in three steps;
or, where it is the number of steps that limits a plan, for its promising part alone."""
OPENING = (20, 8)
"""How many prices of rows are tried alone, and how many with the others settled at each."""
SIFTING = (20, 16, 300)
"""How many steps more than a plan has room for are promising, how many prices are tried for them,
and how many nodes of their core are searched for a good plan."""
STAGE_BELOW = (16, 60_000)
"""The same for a part of it."""
MOST = 1e300
"""Instead of infinity, which is no whole number."""
RENEWED = 45
"""How many items a core has at least, to be worth new prices."""
SHRUNK = {False: 0.7, True: 0.95}
"""And how much smaller it has become, without margins and with them: a chord is drawn anew as well,
and with fewer items lies higher."""
CLEARER = 0.3
"""What share of the gap the chords over margins must give away less to be worth new prices."""
WIDEST = 30_000
"""The widest core that is searched before HiGHS could be asked."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the problem that is still open."""

    core: Core
    prices: Prices
    bound: float
    margins: Sequence[Margins] = ()
    """Of each row, for the plans of the part that matter."""


def search_exactly(model: Model, known: Sequence[Item] = (), stop: Stop = STOP_NEVER) -> Found:
    """The best plan of a model, or the best that the allowance finds.

    Args:
        model: the problem.
        known: a plan to start from.
        stop: the allowance.
    """
    if model.impossible or not model.items:
        return Found((), 0, is_plan=model.is_plan(()))
    return Exact(model, stop).run(known)


class Exact:
    """One run of the engine."""

    def __init__(self, model: Model, stop: Stop) -> None:
        self.model = model
        self.stop = stop
        self.rows = Rows(model)
        self.best = Best((), 0.0 if model.is_plan(()) else -inf, inf)
        self.tolerance = 0.0
        self.relaxation = Relaxation(model, whole(model, self.rows), self.rows)
        """The latest: of the whole problem, or of a part of it."""

    def run(self, known: Sequence[Item] = ()) -> Found:
        """Narrows, searches, splits, until nothing is open or the allowance is used up."""
        return self.settle(self.narrow(known))

    def narrow(self, known: Sequence[Item] = ()) -> list[Part]:
        """Settles an easy problem; of a hard one, returns the part that is left."""
        relaxation = self.relaxation
        if relaxation.beside is None:
            return []
        core, count = relaxation.core, len(relaxation.items)
        self.meet(drafted(core, known))
        self.meet(by_density(relaxation))
        prices = first_prices(relaxation, self.best.items)
        if count >= LARGE:
            find = self.sifted if self.is_short() else self.opened
            prices = find(relaxation, prices)
        parts = [Part(core, prices, inf)]
        for rounds, nodes in self.stages(count):
            if self.is_over(parts):
                break
            parts = self.remains(parts.pop(), rounds, nodes, WIDEST)
        return parts

    def settle(self, parts: list[Part]) -> Found:
        """Halves what is open until nothing is."""
        while not self.is_over(parts):
            part = parts.pop()
            if part.bound < self.best.value - self.tolerance:
                continue
            for half in split(self.model, part.core):
                if half is not None:
                    parts += self.remains(replace(part, core=half), *STAGE_BELOW)
        return self.found(parts)

    def is_over(self, parts: Sequence[Part]) -> bool:
        """Whether nothing is open, or nothing that is worth the effort, or no effort is left."""
        return bool(
            not parts
            or self.best.nodes >= self.stop.nodes_max
            or (self.stop.gap and self.whole_bound(parts) <= self.enough())
            or self.stop.is_over()
        )

    def stages(self, count: int) -> Sequence[tuple[int, int]]:
        """The stages for a number of items."""
        tables = (STAGES_SHORT, STAGES) if self.is_short() else (STAGES,)
        return next(s for table in tables for n, s in reversed(table.items()) if count >= n)

    def is_short(self) -> bool:
        """Whether it is the number of steps that limits a plan."""
        return self.model.max_steps <= max(FEW, len(self.best.items))

    def width(self, core: Core) -> int:
        """The choices that are left, times the steps that a plan may have."""
        choices = size(core) - sum([position.needed for position in core])
        return self.model.max_steps * choices

    def enough(self) -> float:
        """A bound this low is low enough."""
        return self.stop.enough(self.best.value)

    def remains(self, part: Part, rounds: int, nodes: int, widest: float = inf) -> list[Part]:
        """Settles a part, or says what remains of it.

        Args:
            part: what is to be settled.
            rounds: how many prices are tried for each of its cores.
            nodes: how many nodes of the last core are searched.
            widest: a core wider than this is not searched: its nodes would be too many.
        """
        core, prices, margins = part.core, part.prices, part.margins
        shrunk = SHRUNK[self.rows.is_risky]
        while True:
            self.best.nodes += (rounds + 1) * len(core)
            if core is not self.relaxation.core:
                self.relaxation = Relaxation(self.model, core, self.rows, margins)
            relaxation = self.relaxation
            if relaxation.beside is None:
                return []
            at = self.bounded(relaxation, prices, rounds)
            self.tolerance = self.tolerance or tolerance(at)
            smaller = self.reduced(relaxation, at)
            if smaller is None:
                return []
            prices = at.prices
            is_clearer, margins = self.cleared(relaxation, at)
            is_smaller = RENEWED < size(smaller) < shrunk * len(relaxation.items)
            if not is_smaller and not is_clearer:
                break
            core = smaller
        rest = [Part(smaller, prices, min(part.bound, at.bound), margins)]
        width = self.width(smaller)
        if width and (not nodes or width > widest):
            return rest
        return [] if self.search(smaller, at, nodes) else rest

    def cleared(self, relaxation: Relaxation, at: Relaxed) -> tuple[bool, Sequence[Margins]]:
        """Whether chords over the margins that better plans can have are worth new prices, and
        these margins."""
        slack = self.slack(at)
        before = relaxation.doubt(at.prices, relaxation.margins)
        if before <= CLEARER * slack or at.bound <= self.enough():
            return False, relaxation.margins
        margins = leeway(relaxation, at, slack)
        return before - relaxation.doubt(at.prices, margins) > CLEARER * slack, margins

    def slack(self, at: Relaxed) -> float:
        """How much a plan may lose against a bound and still be better than the best plan."""
        return at.bound - self.best.value + self.tolerance

    def reduced(self, relaxation: Relaxation, at: Relaxed) -> Core | None:
        """What of a core can still be better than the best plan; None when nothing can."""
        slack = self.slack(at)
        return reduced(relaxation, at, slack) if slack >= 0 else None

    def search(self, core: Core, at: Relaxed, nodes: int) -> bool:
        """Searches a core for a better plan; whether none is left."""
        left = beside_needed(self.rows, core)
        if left is None:
            return True
        nodes_max = min(self.stop.nodes_max, self.best.nodes + nodes + len(core))
        search = Search(self.model, self.rows, left, at, self.tolerance)
        return search.run(self.best, replace(self.stop, nodes_max=nodes_max))

    def opened(self, relaxation: Relaxation, prices: Prices) -> Prices:
        """Good prices to start from where there are thousands.

        Those of the rows come first, alone, then with all others settled at each. What is
        settled lies at an edge, from which no slope leads on: so the descent of all together
        starts half-way.
        """
        alone, together = OPENING
        self.best.nodes += (alone + 2 * together) * len(relaxation.core)
        start, meet = Prices(prices.rows, {}, {}), self.plan_by(relaxation)
        at = descend(RowsOnly(relaxation), start, self.enough, alone, meet)
        if not self.model.penalty and not any(self.model.requires):
            return at.prices
        dual = Settling(relaxation)
        at = descend(dual, at.prices, self.enough, together, meet, pace=0.5, stride=0.3)
        return at.prices.halved()

    def sifted(self, relaxation: Relaxation, prices: Prices) -> Prices:
        """Good prices to start from, and a good plan, where a plan has few of many steps."""
        spare, rounds, nodes = SIFTING
        first = relaxation.solve(prices)
        self.tolerance = tolerance(first)
        part = Relaxation(self.model, promising(relaxation, first, spare), self.rows)
        self.best.nodes += len(relaxation.core) + (rounds + 1) * len(part.core)
        at = self.bounded(part, prices, rounds)
        if core := self.reduced(part, at):
            self.search(core, at, nodes)
        return at.prices

    def bounded(self, relaxation: Relaxation, prices: Prices, rounds: int) -> Relaxed:
        """The lowest bound found, plans noted on the way."""
        return descend(relaxation, prices, self.enough, rounds, self.plan_by(relaxation))

    def plan_by(self, relaxation: Relaxation) -> Callable[[Relaxed], None]:
        """Makes plans of the points of a descent."""
        return lambda at: self.meet(by_worth(relaxation, at))

    def meet(self, draft: Draft) -> None:
        """Takes a plan for the best, if it is."""
        if draft:
            items = tuple([branch.item for branch in draft])
            trifle = sum([branch.value - branch.item.value for branch in draft])
            value = self.model.worth(items) + trifle
            if value > self.best.value:
                self.best.items, self.best.value = items, value

    def whole_bound(self, parts: Sequence[Part]) -> int:
        """The bound of what is open, in whole units. Less than one unit was taken off for the
        spend; a bound must not profit from it."""
        highest = min(max([part.bound for part in parts]), MOST)
        return floor(highest + self.tolerance + 1.0)

    def found(self, parts: Sequence[Part] = ()) -> Found:
        """The result when these parts are still open, its bound rounded to whole units."""
        best, is_plan = self.best, self.best.value > -inf
        value = self.model.worth(best.items) if is_plan else 0
        if not parts:
            return Found(best.items, value, best.nodes, is_plan=is_plan)
        bound = max(value, self.whole_bound(parts))
        return Found(best.items, bound, best.nodes, is_plan and bound == value, is_plan)


def tolerance(at: Relaxed) -> float:
    """The error that rounding may leave in bounds like this one."""
    return EPSILON * (abs(at.bound) + sum(map(abs, at.best)) + 1.0)


def drafted(core: Core, plan: Sequence[Item]) -> Draft:
    """A plan as its branches."""
    names = {item.name for item in plan}
    if not names:
        return []
    return [branch for p in core for branch in p.branches if branch.item.name in names]


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
