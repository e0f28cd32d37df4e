"""Branch and bound over the core: the best plan, proven.

Depth first, the surest steps first. A node is a set of chosen options; its bound is the root's
bound less what its choices lose against the relaxed optimum, so that a node costs a few
additions. Near a leaf that bound is loose, as it takes all room to be worth its price: so there
is another, at half of all prices. Sources: A. H. Land, A. G. Doig (1960); bounding by reduced
costs: S. Boussier et al., "A multi-level search strategy for the 0-1 multidimensional knapsack
problem", Discrete Applied Mathematics 158 (2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from thrifty.planning.core import Branch, Core, Position
from thrifty.planning.model import Item, Model
from thrifty.planning.result import Stop
from thrifty.planning.rows import Rows, Variances, joined

CLOCK_NODES = 2_000
"""How many nodes pass between two looks at the clock."""


class Place(NamedTuple):
    """A position of the core, its relations as sets of positions, a bit each."""

    bit: int
    requires: int
    rivals: int
    """Those that share its topic."""
    branches: tuple[Branch, ...]


Trail = tuple[Item, "Trail"] | None
"""The items chosen, the latest first."""

Node = tuple[float, float, float, int, int, int, Variances, int, int, Trail]
"""A set of chosen items, and what may still be added. A search makes thousands, so it is bare:

- its bound;
- the root's constant and the worth of what was chosen;
- the value of what was chosen, redundancy and the trifle for the spend taken off;
- the first position that is still open, and how many steps may still be added;
- the room in the rows, and the variances;
- the chosen positions, and those that must still be chosen, a bit each;
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
    """The effort: for each plan in the making, the positions looked at to add to it."""


class Search:
    """The core as bits and sums."""

    def __init__(
        self, model: Model, rows: Rows, core: Core, constant: float, tolerance: float
    ) -> None:
        """Sets the core out.

        Args:
            model: the problem.
            rows: its rows.
            core: what is left of it to decide.
            constant: the part of the bound that no position brings.
            tolerance: the error that rounding may leave in a bound.
        """
        self.model = model
        self.rows = rows
        self.constant = constant
        self.tolerance = tolerance
        self.places = _places(model, core)
        self.needed = sum([1 << i for i, position in enumerate(core) if position.needed])
        best = [position.branches[0].worth for position in core]
        gains = [w if p.needed or w > 0.0 else 0.0 for w, p in zip(best, core, strict=True)]
        self.sums = list(accumulate(gains, initial=0.0))
        self.sums += [self.sums[-1]] * (model.max_steps + 1)
        halves = [_half_priced(position) for position in core]
        self.most = list(accumulate(reversed(halves), initial=0.0))[::-1]
        """What the positions from each on could add at half of all prices."""

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
        places, rows = self.model.max_steps, self.rows
        bound = self.constant + self.sums[places]
        return bound, self.constant, 0.0, 0, places, rows.rooms, rows.none, 0, self.needed, None

    def _children(self, node: Node, best: Best) -> list[Node]:
        """The nodes with one item more, plans among them noted as they are met."""
        _, base, value, start, places, rooms, variances, chosen, pending, trail = node
        sums, guards, is_risky = self.sums, self.rows.guards, self.rows.is_risky
        half, most = (base + value) / 2, self.most
        least = best.value - self.tolerance
        children: list[Node] = []
        i = start
        for i in range(start, self._end(pending)):
            best_rest = base + sums[i + places]
            if best_rest - sums[i] < least or half + most[i] < least:
                break
            bit, requires, rivals, branches = self.places[i]
            missing = requires & ~chosen
            still = (pending | missing) & ~bit
            # What is required and lies before this position was passed over: too late.
            if still and (missing & (bit - 1) or still.bit_count() >= places):
                continue
            rest = best_rest - sums[i + 1]
            common = rivals & chosen
            before = value - self.model.penalty * common.bit_count() if common else value
            for worth, gain, load, item in branches:
                if rest + worth < least:
                    break
                left = rooms - load
                if left & guards != guards:
                    continue
                spread = joined(variances, item) if is_risky else variances
                if is_risky and not self.rows.hold(left, spread):
                    continue
                reached, achieved, onward = base + worth, before + gain, (item, trail)
                if not still and achieved >= least:
                    self._note(onward, achieved, best)
                    least = best.value - self.tolerance
                if (reached + achieved) / 2 + most[i + 1] < least:
                    continue
                child = (
                    rest + worth, reached, achieved, i + 1, places - 1,
                    left, spread, chosen | bit, still, onward,
                )  # fmt: skip
                if places > 2:
                    children.append(child)
                else:
                    self._finish(child, best)
                    least = best.value - self.tolerance
        best.nodes += i + 1 - start
        return children

    def _finish(self, node: Node, best: Best) -> None:
        """Notes the plans with one item more, the last that may be added."""
        _, base, value, start, _, rooms, variances, chosen, pending, trail = node
        guards, is_risky = self.rows.guards, self.rows.is_risky
        least = best.value - self.tolerance
        i = start
        for i in range(start, self._end(pending)):
            bit, requires, rivals, branches = self.places[i]
            if base + max(0.0, branches[0].worth) < least:
                break
            if (pending | requires & ~chosen) & ~bit:
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

    def _end(self, pending: int) -> int:
        """The end of the positions that can come next: none is passed over that must be chosen."""
        return (pending & -pending).bit_length() or len(self.places)

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


def _half_priced(position: Position) -> float:
    """The most that a position adds at half the prices."""
    most = max([branch.value + branch.worth for branch in position.branches]) / 2
    return most if position.needed else max(0.0, most)


def _places(model: Model, core: Core) -> list[Place]:
    """The positions with their relations as bits."""
    bits = {position.step: 1 << i for i, position in enumerate(core)}
    members: dict[int, int] = {-1: 0}
    for step, bit in bits.items():
        if (topic := model.topics[step]) >= 0:
            members[topic] = members.get(topic, 0) | bit
    return [
        Place(
            bit,
            sum([bits[r] for r in model.requires[position.step]]),
            members[model.topics[position.step]],
            position.branches,
        )
        for position, bit in zip(core, bits.values(), strict=True)
    ]
