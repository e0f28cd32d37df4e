"""A good plan at once: steps in an order of promise, each with the best option that fits.

Every plan it returns is one; that there is none it cannot say.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from thrifty.planning import risk
from thrifty.planning.model import Item, Model
from thrifty.planning.relaxation import Relaxation, Relaxed

FAILURES_MAX = 300
"""After how many steps in a row that do not fit or do not pay the rest is not tried."""


class Builder:
    """A plan in the making; nothing in it is ever taken out again."""

    def __init__(self, model: Model, options: Callable[[int], Iterable[Item]]) -> None:
        self.model = model
        self.options = options
        self.chosen: dict[int, Item] = {}
        self.rooms = list(model.capacities)
        self.variances = [0] * len(model.rows)
        self.entries = [0] * (max(model.topics, default=-1) + 1)

    def add(self, step: int) -> bool:
        """Adds a step and what it requires, if that fits and brings more than it takes off."""
        needed = self._needed(step)
        if len(self.chosen) + len(needed) > self.model.max_steps:
            return False
        rooms, variances = self.rooms.copy(), self.variances.copy()
        picks = []
        for member in needed:
            pick = next((i for i in self.options(member) if self._take(i, rooms, variances)), None)
            if pick is None:
                return False
            picks.append(pick)
        if self._gain(picks) <= 0 and not self.model.required[step]:
            return False
        self.chosen.update((pick.step, pick) for pick in picks)
        if self.model.clock and self.model.time_left(list(self.chosen.values())) < 0:
            for pick in picks:
                del self.chosen[pick.step]
            return False
        self.rooms, self.variances = rooms, variances
        for pick in picks:
            if (topic := self.model.topics[pick.step]) >= 0:
                self.entries[topic] += 1
        return True

    def _needed(self, step: int) -> list[int]:
        needed = [step]
        for member in needed:
            for requirement in self.model.requires[member]:
                if requirement not in self.chosen and requirement not in needed:
                    needed.append(requirement)
        return needed

    def _take(self, item: Item, rooms: list[int], variances: list[int]) -> bool:
        """Takes an item's amounts out of the rooms, or leaves them as they are."""
        left = [room - amount for room, amount in zip(rooms, item.amounts, strict=True)]
        if min(left, default=0) < 0:
            return False
        spread = variances
        if item.variances:
            spread = [a + b for a, b in zip(variances, item.variances, strict=True)]
        if not all(map(risk.within, left, spread)):
            return False
        rooms[:], variances[:] = left, spread
        return True

    def _gain(self, picks: Sequence[Item]) -> int:
        """What the picks add together; the redundancy among themselves is counted once more
        than it is when they share a topic, which only makes the builder a little shy."""
        gain = sum(pick.value for pick in picks)
        if self.model.penalty:
            topics = [self.model.topics[pick.step] for pick in picks]
            gain -= self.model.penalty * sum(self.entries[t] for t in topics if t >= 0)
        return gain


def follow(relaxation: Relaxation, promise: Sequence[float], places: Sequence[float]) -> list[Item]:
    """The plan that takes the items and the positions of most promise first, needed ones before.

    Args:
        relaxation: the problem.
        promise: of each item.
        places: the promise of each position.

    Returns:
        A plan; nothing when a required step does not fit.
    """
    model, core = relaxation.model, relaxation.core
    builder = Builder(model, _Ranked(relaxation, promise))
    failures = 0
    ranked = sorted(relaxation.optional, key=places.__getitem__, reverse=True)
    for place in relaxation.needed + ranked:
        if len(builder.chosen) >= model.max_steps or failures > FAILURES_MAX:
            break
        if core[place].step not in builder.chosen:
            failures = 0 if builder.add(core[place].step) else failures + 1
    chosen = list(builder.chosen.values())
    return chosen if model.is_plan(chosen) else []


class _Ranked:
    """The items of a step, most promising first; sorted only when asked for."""

    def __init__(self, relaxation: Relaxation, promise: Sequence[float]) -> None:
        self.relaxation = relaxation
        self.promise = promise

    def __call__(self, step: int) -> Iterator[Item]:
        relaxation = self.relaxation
        if step in relaxation.place:
            start, end = relaxation.spans[relaxation.place[step]]
            for i in sorted(range(start, end), key=self.promise.__getitem__, reverse=True):
                yield relaxation.items[i]


def by_density(relaxation: Relaxation) -> list[Item]:
    """The plan that prefers value for its share of all capacities, a place in the plan included."""
    shares = [1.0] * len(relaxation.items)
    for column in relaxation.columns:
        shares = [share + amount for share, amount in zip(shares, column, strict=True)]
    densities = [value / share for value, share in zip(relaxation.values, shares, strict=True)]
    return follow(relaxation, densities, [max(densities[a:b]) for a, b in relaxation.spans])


def by_worth(relaxation: Relaxation, at: Relaxed) -> list[Item]:
    """The plan that follows the prices of a relaxation."""
    return follow(relaxation, at.worth, at.best)
