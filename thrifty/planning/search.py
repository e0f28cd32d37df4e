"""Branch and bound over the core: the best plan, proven.

Depth first, in the order of a walk. A node is a set of chosen options; its bound is the root's
bound less what its choices lose against the relaxed optimum, so that a node costs a few
additions. Near a leaf that bound is loose, as it takes all room to be worth its price: so there
is another at no price at all, and, of the last places, what fits in each row alone. Sources: A. H.
Land, A. G. Doig (1960); bounding by reduced costs: S. Boussier et al., "A multi-level search
strategy for the 0-1 multidimensional knapsack problem", Discrete Applied Mathematics 158 (2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import add

from thrifty.planning.core import Beside
from thrifty.planning.model import Item, Model
from thrifty.planning.relaxation import Relaxed
from thrifty.planning.result import Stop
from thrifty.planning.rows import Rows, Variances, joined
from thrifty.planning.walk import walk

CLOCK_NODES = 2_000
"""How many nodes pass between two looks at the clock."""


Trail = tuple[Item, "Trail"] | None
"""The items chosen, the latest first."""

Node = tuple[float, float, float, float, int, int, int, Variances, int, int, Trail]
"""A set of chosen items, and what may still be added. A search makes thousands, so it is bare:

- its bound;
- the root's constant and the worth of what was chosen;
- the same at no price for the rows;
- the value of what was chosen, redundancy and the trifle for the spend taken off;
- the first place that is still open, and how many steps may still be added;
- the room in the rows, and the variances;
- the chosen steps, and those that must still be chosen, a bit each;
- the items.
"""


@dataclass(slots=True)
class Best:
    """The best plan so far."""

    items: tuple[Item, ...]
    value: float
    """Its value less the trifle for its spend; minus infinity as long as there is no plan."""
    bound: float
    """No plan has a value above this."""
    nodes: int = 0
    """The effort: for each plan in the making, the places looked at to add to it."""


class Search:
    """One search of a core."""

    def __init__(
        self, model: Model, rows: Rows, left: Beside, at: Relaxed, tolerance: float
    ) -> None:
        """Lays out the walk.

        Args:
            model: the problem.
            rows: its rows.
            left: what is left of it to decide.
            at: its bound.
            tolerance: the error that rounding may leave in a bound.
        """
        self.model = model
        self.rows = rows
        self.at = at
        self.tolerance = tolerance
        self.rooms = left.rooms
        self.walk = walk(model, rows, left.core)

    def run(self, best: Best, stop: Stop) -> bool:
        """Improves on the best plan; returns whether nothing better is left.

        Args:
            best: the plan to beat; holds the result afterwards, and its bound when the search
                was cut short.
            stop: the allowance.
        """
        stack: list[Node] = []
        if self.model.max_steps > 1:
            stack.append(self._root())
        elif self.model.max_steps:
            self._finish(self._root(), best)
        pause = min(stop.nodes_max, best.nodes + CLOCK_NODES)
        while stack:
            node = stack.pop()
            bound = node[0]
            if bound < best.value - self.tolerance:
                continue
            if best.nodes > pause:
                if best.nodes > stop.nodes_max or stop.is_over():
                    best.bound = max(best.value, bound, *[other[0] for other in stack])
                    return False
                pause = min(stop.nodes_max, best.nodes + CLOCK_NODES)
            children = self._children(node, best)
            children.reverse()
            stack += children
        best.bound = best.value
        return True

    def _root(self) -> Node:
        walk, places, none = self.walk, self.model.max_steps, self.rows.none
        constant, gain = self.at.constant, self.at.gain
        bound = constant + walk.tops[places][0]
        return (
            bound, constant, gain, 0.0, 0, places, self.rooms, none, 0, walk.needed, None
        )  # fmt: skip

    def _children(self, node: Node, best: Best) -> list[Node]:
        """The nodes with one item more, plans among them noted as they are met."""
        _, base, unpriced, value, start, places, rooms, variances, chosen, pending, trail = node
        everywhere, _, tops, mosts, lightest, ends, tail = self.walk
        guards, is_risky = self.rows.guards, self.rows.is_risky
        top, most = tops[places], mosts[places]
        top_after, most_after = tops[places - 1], mosts[places - 1]
        least = best.value - self.tolerance
        children: list[Node] = []
        end, last, after, leapt = self._end(pending), tail.start, start, 0
        while after < end:
            i, after = after, after + 1
            if base + top[i] < least or value + most[i] < least:
                break
            step, earlier, requires, rivals, branches, paid = everywhere[i]
            if base + branches[0].worth + top_after[after] < least:
                after = ends[i]
                leapt += after - i - 1
                continue
            missing = requires & ~chosen
            still = (pending | missing) & ~step
            # What is required and lies before this place was passed over: too late.
            if chosen & step or (still and (missing & earlier or still.bit_count() >= places)):
                continue
            common = rivals & chosen
            before = value - self.model.penalty * common.bit_count() if common else value
            for worth, gain, load, item in branches:
                reached, achieved = base + worth, before + gain
                if reached + top_after[after] < least:
                    break
                left, spread = rooms - load, variances
                is_held = left & guards == guards
                if is_held and is_risky:
                    spread = joined(variances, item)
                    is_held = self.rows.hold(left, spread)
                if not is_held:
                    if lightest:
                        fitting = self._fitting(after, rooms, variances)
                        leapt += fitting - after
                        after = fitting
                    continue
                onward = item, trail
                if not still and achieved >= least:
                    self._note(onward, achieved, best)
                    least = best.value - self.tolerance
                ahead = self._fitting(after, left, spread) if lightest else after
                bound = reached + top_after[ahead]
                if bound < least or achieved + most_after[ahead] < least:
                    continue
                brought = unpriced + gain + paid
                if ahead >= last and not tail.adds(least - brought, ahead, left, spread):
                    continue
                child = (
                    bound, reached, brought, achieved, ahead, places - 1,
                    left, spread, chosen | step, still, onward,
                )  # fmt: skip
                if places > 2:
                    children.append(child)
                else:
                    self._finish(child, best)
                    least = best.value - self.tolerance
        best.nodes += after - start - leapt
        return children

    def _finish(self, node: Node, best: Best) -> None:
        """Notes the plans with one item more, the last that may be added."""
        _, base, _, value, start, _, rooms, variances, chosen, pending, trail = node
        guards, is_risky = self.rows.guards, self.rows.is_risky
        everywhere, top = self.walk.places, self.walk.tops[1]
        least = best.value - self.tolerance
        i = start
        for i in range(start, self._end(pending)):
            if base + top[i] < least:
                break
            step, _, requires, rivals, branches, _ = everywhere[i]
            if chosen & step or (pending | requires & ~chosen) & ~step:
                continue
            common = rivals & chosen
            before = value - self.model.penalty * common.bit_count() if common else value
            for worth, gain, load, item in branches:
                if base + worth < least:
                    break
                left = rooms - load
                if before + gain < least or left & guards != guards:
                    continue
                if is_risky and not self.rows.hold(left, joined(variances, item)):
                    continue
                self._note((item, trail), before + gain, best)
                least = best.value - self.tolerance
        best.nodes += i + 1 - start

    def _fitting(self, place: int, rooms: int, variances: Variances) -> int:
        """The first place from there on at which something may fit, as far as its block tells."""
        walk, rows = self.walk, self.rows
        while (lightest := walk.lightest[place]).load:
            left = rooms - lightest.load
            if left & rows.guards == rows.guards and (
                not rows.is_risky or rows.hold(left, tuple(map(add, variances, lightest.variances)))
            ):
                break
            place = walk.ends[place]
        return place

    def _end(self, pending: int) -> int:
        """The end of the places that can come next: no step is passed over that must be chosen."""
        return (pending & -pending).bit_length() or len(self.walk.places)

    def _note(self, trail: Trail, value: float, best: Best) -> None:
        """Takes a plan for the best, if it is."""
        items = tuple(_items(trail))
        if self.model.clock and self.model.time_left(items) < 0:
            return
        tied = value <= best.value + self.tolerance
        if not tied or self.model.rank(items) < self.model.rank(best.items):
            best.items, best.value = items, value


def _items(trail: Trail) -> Iterator[Item]:
    while trail:
        item, trail = trail
        yield item
