"""A good plan at once: steps in an order of promise, each with the best option that fits.

What it returns is always a valid plan. It cannot prove that there is none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from thrifty.planning.solver.core import Core, CoreItem
from thrifty.planning.solver.packed_rows import Variances, add_variances, subtract_variances
from thrifty.planning.solver.relaxation import Relaxation, RelaxedSolution

FAILURES_MAX = 300
"""After how many steps in a row that do not fit or do not pay the rest is not tried."""

CorePlan = list[CoreItem]
"""A plan; nothing when there is none."""


class PlanBuilder:
    """A partial plan that grows; no step that was added is removed again."""

    def __init__(
        self, relaxation: Relaxation, core: Core, rooms: int, promise: Sequence[float]
    ) -> None:
        """An empty plan of a core and its packed rooms, beside the least of all that is needed; the
        most promising item of a step is tried first."""
        self.relaxation = relaxation
        self.model = relaxation.model
        self.packed_rows = relaxation.rows
        self.core = core
        self.promise = promise
        self.chosen: dict[int, CoreItem] = {}
        self.rooms = rooms
        self.variances = self.packed_rows.no_variances
        self.topic_counts: Counter[int] = Counter()

    def add(self, step: int) -> bool:
        """Adds a step and what it requires, if that fits and brings more than it takes off."""
        needed = self._missing_with(step) if self.model.requires[step] else [step]
        if len(self.chosen) + len(needed) > self.model.max_steps:
            return False
        rooms, variances = self.rooms, self.variances
        picks = []
        for member in needed:
            pick = self._first_fitting(member, rooms, variances)
            if pick is None:
                return False
            branch, rooms, variances = pick
            picks.append(branch)
        if self._joint_gain(picks) <= 0 and not self.model.is_required[step]:
            return False
        if self.model.makespan_limit and not self._keeps_makespan(picks):
            return False
        for branch in picks:
            step = branch.item.step
            self.chosen[step] = branch
            self.topic_counts[self.model.topics[step]] += 1
        self.rooms, self.variances = rooms, variances
        return True

    def _missing_with(self, step: int) -> list[int]:
        needed = [step]
        for member in needed:
            for requirement in self.model.requires[member]:
                if requirement not in self.chosen and requirement not in needed:
                    needed.append(requirement)
        return needed

    def _items_of(self, step: int) -> Sequence[CoreItem]:
        """The items of a step, most promising first; sorted only when they are asked for."""
        place = self.relaxation.place_of.get(step)
        if place is None:
            return ()
        branches = self.core[place].items
        if len(branches) == 1:
            return branches
        promise = self.promise[self.relaxation.slices[place]]
        if len(branches) == 2:  # as most often, and then there is little to sort
            return branches if promise[0] >= promise[1] else branches[::-1]
        ranked = sorted(range(len(branches)), key=promise.__getitem__, reverse=True)
        return [branches[i] for i in ranked]

    def _first_fitting(
        self, step: int, rooms: int, variances: Variances
    ) -> tuple[CoreItem, int, Variances] | None:
        """The first item of a step that fits, and the room that it leaves."""
        guards, is_risky = self.packed_rows.guard_bits, self.packed_rows.has_margins
        for branch in self._items_of(step):
            left = rooms - branch.packed_amounts
            if left & guards == guards:
                spread = add_variances(variances, branch.item) if is_risky else variances
                if not is_risky or self.packed_rows.has_room_for(left, spread):
                    return branch, left, spread
        return None

    def _joint_gain(self, picks: Sequence[CoreItem]) -> int:
        """What the picks add together, the redundancy among themselves left out."""
        topics = [self.model.topics[pick.item.step] for pick in picks]
        repeats = sum([self.topic_counts[topic] for topic in topics if topic >= 0])
        return sum([pick.item.value for pick in picks]) - self.model.penalty * repeats

    def swap(self, step: int, new: CoreItem) -> None:
        """Swaps the item of a chosen step for a better one, if that fits."""
        old, guards = self.chosen[step], self.packed_rows.guard_bits
        rooms = self.rooms + old.packed_amounts - new.packed_amounts
        if new.value <= old.value or rooms & guards != guards:
            return
        variances = add_variances(subtract_variances(self.variances, old.item), new.item)
        if self.packed_rows.has_margins and not self.packed_rows.has_room_for(rooms, variances):
            return
        self.chosen[step] = new
        if self.model.makespan_limit and not self._keeps_makespan(()):
            self.chosen[step] = old  # the schedule would end too late
            return
        self.rooms, self.variances = rooms, variances

    def candidate_swaps(self) -> list[tuple[int, CoreItem]]:
        """The more valuable items of the chosen steps that would fit now, those first that lose
        the least promise for the value they gain."""
        guards = self.packed_rows.guard_bits
        swaps = []
        for step, old in self.chosen.items():
            place = self.relaxation.place_of[step]
            branches, rooms = self.core[place].items, self.rooms + old.packed_amounts
            for i, new in enumerate(branches):
                if new.value > old.value and (rooms - new.packed_amounts) & guards == guards:
                    promise = self.promise[self.relaxation.slices[place]]
                    loss = promise[branches.index(old)] - promise[i]
                    swaps.append((loss / (new.value - old.value), step, i, new))
        swaps.sort()  # never by the items: step and place tell all apart
        return [(step, new) for _, step, _, new in swaps]

    def _keeps_makespan(self, picks: Sequence[CoreItem]) -> bool:
        items = [branch.item for branch in (*self.chosen.values(), *picks)]
        return self.model.time_left(items) >= 0


def build_in_order(
    relaxation: Relaxation, promise: Sequence[float], order: Iterable[int]
) -> CorePlan:
    """Builds a plan from steps in an order, and of each the most promising item that fits.

    Needed steps come before the places of the order. Nothing is returned when one does not fit.
    """
    if relaxation.beside is None:
        return []
    core, rooms = relaxation.beside
    builder = PlanBuilder(relaxation, core, rooms, promise)
    chosen, failures = builder.chosen, 0
    for place in chain(relaxation.needed, order):
        if len(chosen) >= relaxation.model.max_steps or failures > FAILURES_MAX:
            break
        if (step := core[place].step) not in chosen:
            failures = 0 if builder.add(step) else failures + 1
    if any(core[place].step not in chosen for place in relaxation.needed):
        return []
    for step, branch in builder.candidate_swaps():
        builder.swap(step, branch)
    return list(chosen.values())


def plan_by_density(relaxation: Relaxation) -> CorePlan:
    """The plan that prefers value for its share of all capacities, a place in the plan included."""
    shares = [1.0] * len(relaxation.items)
    for column in relaxation.columns:
        shares = [share + amount for share, amount in zip(shares, column, strict=True)]
    densities = [value / share for value, share in zip(relaxation.values, shares, strict=True)]
    places = list(map(max, map(densities.__getitem__, relaxation.slices)))
    return build_in_order(relaxation, densities, _sort_descending(relaxation.optional, places))


def plan_by_reduced_value(relaxation: Relaxation, solution: RelaxedSolution) -> CorePlan:
    """The plan that follows the prices of a relaxation.

    What the relaxed problem chooses comes first, and there the steps that would lose most by
    any other choice, so that what no longer fits as it should costs little.
    """
    taken = set(solution.chosen_places)
    sure = [place for place in relaxation.optional if place in taken]
    others = [place for place in relaxation.optional if place not in taken]
    regrets = {place: _next_best_loss(relaxation, solution, place) for place in sure}
    order = [*_sort_descending(sure, regrets), *_sort_descending(others, solution.net_step_values)]
    return build_in_order(relaxation, solution.item_values, order)


def _next_best_loss(relaxation: Relaxation, solution: RelaxedSolution, place: int) -> float:
    """The value lost by the next best choice for a step: another item, or none."""
    worth = solution.item_values[relaxation.slices[place]]
    if len(worth) == 1:
        return solution.net_step_values[place]
    second, best = sorted(worth)[-2:]
    return min(solution.net_step_values[place], best - second)


def _sort_descending(places: Iterable[int], of: Mapping[int, float] | Sequence[float]) -> list[int]:
    return sorted(places, key=of.__getitem__, reverse=True)
