"""Branch and bound over the core: the best plan, proven.

Depth first, the most worthwhile steps first. A node is a set of chosen options; its bound is
the root's bound less what its choices lose against the relaxed optimum, so that a node costs a
few additions. Sources: A. H. Land, A. G. Doig (1960); bounding by reduced costs: S. Boussier
et al., "A multi-level search strategy for the 0-1 multidimensional knapsack problem", Discrete
Applied Mathematics 158 (2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from operator import add, sub
from typing import NamedTuple

from thrifty.planning import risk
from thrifty.planning.core import Branch, Core
from thrifty.planning.model import Item, Model
from thrifty.planning.result import Stop

CLOCK_NODES = 256
"""How many nodes pass between two looks at the clock."""


class Node(NamedTuple):
    """A set of chosen items, and what may still be added."""

    bound: float
    base: float
    """The root's constant and the worth of what was chosen."""
    value: float
    """What was chosen brings, redundancy and the trifle for the spend taken off."""
    position: int
    """The first position that is still open."""
    places: int
    """How many steps may still be added."""
    rooms: tuple[int, ...]
    variances: tuple[int, ...]
    chosen: int
    """The chosen positions, a bit each."""
    pending: int
    """The positions that must still be chosen, a bit each."""
    item: Item | None
    parent: Node | None

    def items(self) -> Iterator[Item]:
        """The chosen items, latest first."""
        node: Node | None = self
        while node and node.item:
            yield node.item
            node = node.parent


@dataclass(slots=True)
class Best:
    """The best plan so far."""

    items: tuple[Item, ...]
    value: float
    """Its value less the trifle for its spend; minus infinity as long as there is no plan."""
    bound: float
    """No plan has a value above this."""
    nodes: int = 0


class Search:
    """The core as bits and sums."""

    def __init__(self, model: Model, positions: Core, constant: float) -> None:
        self.model = model
        self.positions = positions
        self.constant = constant
        place = {position.step: i for i, position in enumerate(positions)}
        self.requires = [sum(1 << place[r] for r in model.requires[p.step]) for p in positions]
        self.needed = sum(1 << i for i, p in enumerate(positions) if p.needed)
        self.topics = self._topic_masks()
        self.is_risky = any(b.item.variances for p in positions for b in p.branches)
        best = [p.branches[0].worth for p in positions]
        gains = [w if p.needed else max(0.0, w) for w, p in zip(best, positions, strict=True)]
        self.sums = list(accumulate(gains, initial=0.0))
        self.sums += [self.sums[-1]] * (model.max_steps + 1)

    def _topic_masks(self) -> list[int]:
        masks: dict[int, int] = {}
        topics = [self.model.topics[position.step] for position in self.positions]
        for i, topic in enumerate(topics):
            masks[topic] = masks.get(topic, 0) | 1 << i
        return [masks[topic] if topic >= 0 else 0 for topic in topics]

    def run(self, best: Best, tolerance: float, stop: Stop) -> bool:
        """Improves on the best plan; returns whether nothing better is left.

        Args:
            best: the plan to beat; holds the result afterwards, and its bound when the search
                was cut short.
            tolerance: the error that rounding may leave in a bound.
            stop: the allowance.
        """
        stack = [self._root()]
        while stack:
            node = stack.pop()
            if node.bound < best.value - tolerance:
                continue
            best.nodes += 1
            if best.nodes > stop.nodes_max or (not best.nodes % CLOCK_NODES and stop.is_over()):
                stack.append(node)
                best.bound = max(best.value, *(node.bound for node in stack))
                return False
            children = self._children(node, best, tolerance)
            children.reverse()
            stack += children
        best.bound = best.value
        return True

    def _root(self) -> Node:
        model = self.model
        bound = self.constant + self.sums[model.max_steps]
        rooms, none = model.capacities, (0,) * len(model.rows)
        places = model.max_steps
        return Node(bound, self.constant, 0.0, 0, places, rooms, none, 0, self.needed, None, None)

    def _children(self, node: Node, best: Best, tolerance: float) -> list[Node]:
        """The nodes with one item more, plans among them noted as they are met."""
        children: list[Node] = []
        sums, places = self.sums, node.places
        for i in range(node.position, len(self.positions)):
            rest = sums[i + places] - sums[i]
            if node.base + rest < best.value - tolerance:
                break
            bit = 1 << i
            missing = self.requires[i] & ~node.chosen
            pending = (node.pending | missing) & ~bit
            # What is required and lies before this position was passed over: too late.
            if not missing & (bit - 1) and pending.bit_count() < places:
                base = node.base + sums[i + places] - sums[i + 1]
                for branch in self.positions[i].branches:
                    bound = base + branch.worth
                    if bound < best.value - tolerance:
                        break
                    child = self._child(node, i, branch, bound, pending)
                    if child is None:
                        continue
                    if not pending and child.value >= best.value - tolerance:
                        self._note(child, best, tolerance)
                    if places > 1:
                        children.append(child)
            if node.pending & bit:
                break
        return children

    def _child(self, node: Node, i: int, branch: Branch, bound: float, pending: int) -> Node | None:
        """The node with one item more, if that fits."""
        item = branch.item
        rooms = tuple(map(sub, node.rooms, item.amounts))
        if rooms and min(rooms) < 0:
            return None
        variances = node.variances
        if self.is_risky:
            if item.variances:
                variances = tuple(map(add, variances, item.variances))
            if not all(map(risk.within, rooms, variances)):
                return None
        value = node.value + branch.value
        if rivals := self.topics[i] & node.chosen:
            value -= self.model.penalty * rivals.bit_count()
        return Node(
            bound, node.base + branch.worth, value, i + 1, node.places - 1, rooms, variances,
            node.chosen | 1 << i, pending, item, node,
        )  # fmt: skip

    def _note(self, node: Node, best: Best, tolerance: float) -> None:
        """Takes a plan for the best, if it is."""
        items = tuple(node.items())
        if self.model.clock and self.model.time_left(items) < 0:
            return
        tied = node.value <= best.value + tolerance
        if not tied or self.model.rank(items) < self.model.rank(best.items):
            best.items, best.value = items, node.value
