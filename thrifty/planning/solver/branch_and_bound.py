"""Branch and bound over the core: the best plan, proven.

Depth first, in the order of a walk. A node is a set of chosen options; its bound is the root's
bound less what its choices lose against the relaxed optimum, so that a node costs a few
additions. Near a leaf that bound is loose, as it takes all room to be worth its price: so there
is another at no price at all, and, of the last places, what fits in each row alone. Sources: A. H.
Land, A. G. Doig (1960); bounding by reduced costs: S. Boussier et al., "A multi-level search
strategy for the 0-1 multidimensional knapsack problem", Discrete Applied Mathematics 158 (2010).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import add

from thrifty.planning.solver.core import Beside
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.packed_rows import PackedRows, Variances, add_variances
from thrifty.planning.solver.relaxation import RelaxedSolution
from thrifty.planning.solver.solve_result import SolveLimits
from thrifty.planning.solver.walk import walk

NODES_PER_CLOCK_CHECK = 2_000
"""How many nodes pass between two looks at the clock."""

ChosenItems = tuple[KnapsackItem, "ChosenItems"] | None
"""The items chosen, the latest first."""

SearchNode = tuple[float, float, float, float, int, int, int, Variances, int, int, ChosenItems]
"""A set of chosen items, and what may still be added. A search makes thousands, so it is bare:

- its bound;
- the root's constant and the worth of what was chosen;
- the same at no price for the rows;
- the value of what was chosen, less redundancy and the tiny amount for the spend;
- the first place that is still open, and how many steps may still be added;
- the room in the rows, and the variances;
- the chosen steps, and those that must still be chosen, a bit each;
- the items.
"""


@dataclass(slots=True)
class Incumbent:
    """The best plan found so far."""

    items: tuple[KnapsackItem, ...]
    value: float
    """Its value less a tiny amount for its spend; minus infinity as long as there is no plan."""
    bound: float
    """No plan has a value above this."""
    nodes: int = 0
    """The effort: over all partial plans, how many places were looked at for an addition."""


class BranchAndBound:
    """One branch-and-bound search of a core."""

    def __init__(
        self,
        model: KnapsackModel,
        rows: PackedRows,
        beside: Beside,
        root: RelaxedSolution,
        tolerance: float,
    ) -> None:
        """Prepares the walk through the core, of which the root is the bound. The tolerance is the
        error that rounding may leave in a bound."""
        self.model = model
        self.packed_rows = rows
        self.root = root
        self.tolerance = tolerance
        self.rooms = beside.rooms
        self.walk = walk(model, rows, beside.core)

    def run(self, incumbent: Incumbent, limits: SolveLimits) -> bool:
        """Improves on the best plan; returns whether nothing better is left.

        Args:
            incumbent: the plan to beat; holds the result afterwards, and its bound when the search
                was cut short.
            limits: how much effort may be spent.
        """
        stack: list[SearchNode] = []
        if self.model.max_steps > 1:
            stack.append(self._root())
        elif self.model.max_steps:
            self._add_last_items(self._root(), incumbent)
        pause = min(limits.nodes_max, incumbent.nodes + NODES_PER_CLOCK_CHECK)
        while stack:
            node = stack.pop()
            bound = node[0]
            if bound < incumbent.value - self.tolerance:  # it was put by under a worse incumbent
                continue
            if incumbent.nodes > pause:
                if incumbent.nodes > limits.nodes_max or limits.is_past_deadline():
                    incumbent.bound = max(incumbent.value, bound, *[other[0] for other in stack])
                    return False
                pause = min(limits.nodes_max, incumbent.nodes + NODES_PER_CLOCK_CHECK)
            children = self._children(node, incumbent)
            children.reverse()  # the stack hands out the last first
            stack += children
        incumbent.bound = incumbent.value
        return True

    def _root(self) -> SearchNode:
        walk, places, none = self.walk, self.model.max_steps, self.packed_rows.no_variances
        constant, gain = self.root.constant, self.root.topic_gain
        bound = constant + walk.tops[places][0]
        return (
            bound, constant, gain, 0.0, 0, places, self.rooms, none, 0, walk.needed, None
        )  # fmt: skip

    def _children(self, node: SearchNode, best: Incumbent) -> list[SearchNode]:
        """The nodes with one item more, plans among them noted as they are met."""
        _, base, unpriced, value, start, places, rooms, variances, chosen, pending, items = node
        everywhere, _, tops, mosts, lightest, ends, tail = self.walk
        guards, is_risky = self.packed_rows.guard_bits, self.packed_rows.has_margins
        top, most = tops[places], mosts[places]
        top_after, most_after = tops[places - 1], mosts[places - 1]
        least = best.value - self.tolerance
        children: list[SearchNode] = []
        end, last, after, leapt = self._end_of_places(pending), tail.start, start, 0
        while after < end:
            i, after = after, after + 1
            if base + top[i] < least or value + most[i] < least:  # and further on there is less
                break
            step, earlier, requires, rivals, branches, paid = everywhere[i]
            if base + branches[0].reduced_value + top_after[after] < least:
                after = ends[i]  # no option of its block has a better worth
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
                if reached + top_after[after] < least:  # the others are worth less
                    break
                left, spread = rooms - load, variances
                is_held = left & guards == guards
                if is_held and is_risky:  # the dearer test, for what fits without a margin
                    spread = add_variances(variances, item)
                    is_held = self.packed_rows.has_room_for(left, spread)
                if not is_held:
                    if lightest:
                        fitting = self._first_fitting_place(after, rooms, variances)
                        leapt += fitting - after
                        after = fitting
                    continue
                onward = item, items
                if not still and achieved >= least:
                    self._update_incumbent(onward, achieved, best)
                    least = best.value - self.tolerance
                ahead = self._first_fitting_place(after, left, spread) if lightest else after
                bound = reached + top_after[ahead]
                if bound < least or achieved + most_after[ahead] < least:
                    continue
                brought = unpriced + gain + paid
                if ahead >= last and not tail.can_add(least - brought, ahead, left, spread):
                    continue
                child = (
                    bound, reached, brought, achieved, ahead, places - 1,
                    left, spread, chosen | step, still, onward,
                )  # fmt: skip
                if places > 2:  # else it has one place left, and needs no node
                    children.append(child)
                else:
                    self._add_last_items(child, best)
                    least = best.value - self.tolerance
        best.nodes += after - start - leapt  # what was leapt over was no effort
        return children

    def _add_last_items(self, node: SearchNode, best: Incumbent) -> None:
        """Notes the plans with one item more, the last that may be added."""
        _, base, _, value, start, _, rooms, variances, chosen, pending, items = node
        guards, is_risky = self.packed_rows.guard_bits, self.packed_rows.has_margins
        everywhere, top = self.walk.places, self.walk.tops[1]
        least = best.value - self.tolerance
        i = start
        for i in range(start, self._end_of_places(pending)):
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
                if is_risky and not self.packed_rows.has_room_for(
                    left, add_variances(variances, item)
                ):
                    continue
                self._update_incumbent((item, items), before + gain, best)
                least = best.value - self.tolerance
        best.nodes += i + 1 - start

    def _first_fitting_place(self, place: int, rooms: int, variances: Variances) -> int:
        """The first place from there on at which something may fit, as far as its block tells."""
        walk, rows = self.walk, self.packed_rows
        while (lightest := walk.lightest[place]).load:
            left = rooms - lightest.load
            if left & rows.guard_bits == rows.guard_bits and (
                not rows.has_margins
                or rows.has_room_for(left, tuple(map(add, variances, lightest.variances)))
            ):
                break
            place = walk.ends[place]
        return place

    def _end_of_places(self, pending: int) -> int:
        """The end of the places that can come next: no step that must be chosen is skipped."""
        return (pending & -pending).bit_length() or len(self.walk.places)

    def _update_incumbent(self, chosen_items: ChosenItems, value: float, best: Incumbent) -> None:
        """Makes a plan the incumbent if it is better."""
        items = tuple(_iterate_items(chosen_items))
        # The rows hold the work of all places together; the schedule itself is made up last.
        if self.model.makespan_limit and self.model.time_left(items) < 0:
            return
        tied = value <= best.value + self.tolerance
        if not tied or self.model.sort_key(items) < self.model.sort_key(best.items):
            best.items, best.value = items, value


def _iterate_items(chosen: ChosenItems) -> Iterator[KnapsackItem]:
    while chosen:
        item, chosen = chosen
        yield item
