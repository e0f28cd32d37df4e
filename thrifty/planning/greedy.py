"""A good plan at once: steps in an order of promise, each with the best option that fits.

Every plan it returns is one; that there is none it cannot say.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from thrifty.planning.core import Branch, Core
from thrifty.planning.model import Model
from thrifty.planning.relaxation import Relaxation, Relaxed
from thrifty.planning.rows import Rows, Variances, joined, parted

FAILURES_MAX = 300
"""After how many steps in a row that do not fit or do not pay the rest is not tried."""

Draft = list[Branch]
"""A plan; nothing when there is none."""


class Builder:
    """A plan in the making; nothing in it is ever taken out again."""

    def __init__(
        self, model: Model, rows: Rows, rooms: int, options: Callable[[int], Iterable[Branch]]
    ) -> None:
        """An empty plan.

        Args:
            model: the problem.
            rows: its rows.
            rooms: what may be used of them, beside the least of all that is needed.
            options: the branches of a step, in the order in which they are tried.
        """
        self.model = model
        self.all_rows = rows
        self.options = options
        self.chosen: dict[int, Branch] = {}
        self.rooms = rooms
        self.variances = rows.none
        self.entries: dict[int, int] = {}

    def add(self, step: int) -> bool:
        """Adds a step and what it requires, if that fits and brings more than it takes off."""
        needed = self._needed(step) if self.model.requires[step] else [step]
        if len(self.chosen) + len(needed) > self.model.max_steps:
            return False
        rooms, variances = self.rooms, self.variances
        picks = []
        for member in needed:
            pick = self._pick(member, rooms, variances)
            if pick is None:
                return False
            branch, rooms, variances = pick
            picks.append(branch)
        if self._gain(picks) <= 0 and not self.model.required[step]:
            return False
        if self.model.clock and not self._is_in_time(picks):
            return False
        for branch in picks:
            step = branch.item.step
            self.chosen[step] = branch
            topic = self.model.topics[step]
            self.entries[topic] = self.entries.get(topic, 0) + 1
        self.rooms, self.variances = rooms, variances
        return True

    def _needed(self, step: int) -> list[int]:
        needed = [step]
        for member in needed:
            for requirement in self.model.requires[member]:
                if requirement not in self.chosen and requirement not in needed:
                    needed.append(requirement)
        return needed

    def _pick(
        self, step: int, rooms: int, variances: Variances
    ) -> tuple[Branch, int, Variances] | None:
        """The first branch of a step that fits, and what it leaves."""
        guards, is_risky = self.all_rows.guards, self.all_rows.is_risky
        for branch in self.options(step):
            left = rooms - branch.load
            if left & guards == guards:
                spread = joined(variances, branch.item) if is_risky else variances
                if not is_risky or self.all_rows.hold(left, spread):
                    return branch, left, spread
        return None

    def _gain(self, picks: Sequence[Branch]) -> int:
        """What the picks add together, the redundancy among themselves left out."""
        topics, entries, gain = self.model.topics, self.entries, 0
        for pick in picks:
            item = pick.item
            gain += item.value
            if (topic := topics[item.step]) in entries and topic >= 0:
                gain -= self.model.penalty * entries[topic]
        return gain

    def swap(self, step: int, new: Branch) -> None:
        """Takes a better branch of a chosen step, if it fits."""
        old = self.chosen[step]
        rooms = self.rooms + old.load - new.load
        if new.value <= old.value or rooms & self.all_rows.guards != self.all_rows.guards:
            return
        variances = joined(parted(self.variances, old.item), new.item)
        if self.all_rows.is_risky and not self.all_rows.hold(rooms, variances):
            return
        self.chosen[step] = new
        if self.model.clock and not self._is_in_time(()):
            self.chosen[step] = old
            return
        self.rooms, self.variances = rooms, variances

    def _is_in_time(self, picks: Sequence[Branch]) -> bool:
        items = [branch.item for branch in (*self.chosen.values(), *picks)]
        return self.model.time_left(items) >= 0


def follow(relaxation: Relaxation, promise: Sequence[float], order: Iterable[int]) -> Draft:
    """The plan that takes positions in an order, and of each the item of most promise that fits.

    Args:
        relaxation: the problem.
        promise: of each item.
        order: the optional positions; needed ones come before them.

    Returns:
        A plan; nothing when a needed step does not fit.
    """
    if relaxation.beside is None:
        return []
    model, (core, rooms) = relaxation.model, relaxation.beside
    builder = Builder(model, relaxation.rows, rooms, _Ranked(relaxation, core, promise))
    chosen = builder.chosen
    failures = 0
    for place in chain(relaxation.needed, order):
        if len(chosen) >= model.max_steps or failures > FAILURES_MAX:
            break
        if (step := core[place].step) not in chosen:
            failures = 0 if builder.add(step) else failures + 1
    if any(core[place].step not in chosen for place in relaxation.needed):
        return []
    for step, branch in _swaps(relaxation, core, promise, builder):
        builder.swap(step, branch)
    return list(chosen.values())


def _swaps(
    relaxation: Relaxation, core: Core, promise: Sequence[float], builder: Builder
) -> list[tuple[int, Branch]]:
    """The more valuable branches of the chosen steps that fit as the plan is, those first that
    lose the least promise for what they gain."""
    rooms, guards = builder.rooms, relaxation.rows.guards
    swaps = []
    for step, old in builder.chosen.items():
        place = relaxation.place[step]
        branches = core[place].branches
        for i, new in enumerate(branches):
            if new.value > old.value and (rooms + old.load - new.load) & guards == guards:
                start = relaxation.starts[place]
                loss = promise[start + branches.index(old)] - promise[start + i]
                swaps.append((loss / (new.value - old.value), step, i, new))
    swaps.sort()
    return [(step, new) for _, step, _, new in swaps]


class _Ranked:
    """The branches of a step, most promising first; sorted only when asked for."""

    def __init__(self, relaxation: Relaxation, core: Core, promise: Sequence[float]) -> None:
        self.relaxation = relaxation
        self.core = core
        self.promise = promise

    def __call__(self, step: int) -> Sequence[Branch]:
        place = self.relaxation.place.get(step)
        if place is None:
            return ()
        branches = self.core[place].branches
        if len(branches) == 1:
            return branches
        promise = self.promise[self.relaxation.slices[place]]
        if len(branches) == 2:  # as most often, and then there is little to sort
            return branches if promise[0] >= promise[1] else branches[::-1]
        ranked = sorted(range(len(branches)), key=promise.__getitem__, reverse=True)
        return [branches[i] for i in ranked]


def by_density(relaxation: Relaxation) -> Draft:
    """The plan that prefers value for its share of all capacities, a place in the plan included."""
    shares = [1.0] * len(relaxation.items)
    for column in relaxation.columns:
        shares = [share + amount for share, amount in zip(shares, column, strict=True)]
    densities = [value / share for value, share in zip(relaxation.values, shares, strict=True)]
    places = list(map(max, map(densities.__getitem__, relaxation.slices)))
    return follow(relaxation, densities, _falling(relaxation.optional, places))


def by_worth(relaxation: Relaxation, at: Relaxed) -> Draft:
    """The plan that follows the prices of a relaxation.

    What the relaxed problem takes comes first, and there the positions that would lose most by
    any other choice, so that what no longer fits as it should costs little.
    """
    taken = set(at.taken)
    sure = [place for place in relaxation.optional if place in taken]
    others = [place for place in relaxation.optional if place not in taken]
    regrets = {place: _regret(relaxation, at, place) for place in sure}
    order = [*_falling(sure, regrets), *_falling(others, at.best)]
    return follow(relaxation, at.worth, order)


def _regret(relaxation: Relaxation, at: Relaxed, place: int) -> float:
    """What it costs to take the next best item of a position, or none."""
    worth = at.worth[relaxation.slices[place]]
    if len(worth) == 1:
        return at.best[place]
    second, best = sorted(worth)[-2:]
    return min(at.best[place], best - second)


def _falling(places: Iterable[int], of: Mapping[int, float] | Sequence[float]) -> list[int]:
    return sorted(places, key=of.__getitem__, reverse=True)
