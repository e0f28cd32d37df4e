"""A good plan made better: one choice, or two at once, are changed where that adds value.

A greedy plan ends with room left in some rows, as the others are full. To give up one thing in
order to take another uses it. Only changes that cost little at the prices of a relaxation are
tried. Source of the idea: S. Lin, B. W. Kernighan, Operations Research 21 (1973).
"""

from collections.abc import Iterator, Sequence
from heapq import nlargest
from typing import NamedTuple

from thrifty.planning.core import Branch
from thrifty.planning.greedy import Draft
from thrifty.planning.model import Model
from thrifty.planning.relaxation import Relaxation, Relaxed
from thrifty.planning.rows import joined, parted

CANDIDATES = 60
"""How many changes that add value are tried with how many that give some up."""
PASSES = 4
"""How often, at most, all of them are looked for anew."""


class Change(NamedTuple):
    """What could be done otherwise with one step."""

    promise: float
    """Its gain at the prices of the relaxation; hardly ever positive."""
    gain: float
    """The value it adds."""
    step: int
    old: Branch | None
    new: Branch | None
    freed: int
    """What it gives back, packed."""
    taken: int
    """What it takes, packed."""

    @property
    def places(self) -> int:
        """By how many steps the plan becomes longer."""
        return (self.old is None) - (self.new is None)


class Exchange:
    """A plan that is being changed."""

    def __init__(self, relaxation: Relaxation, at: Relaxed, draft: Draft) -> None:
        self.relaxation = relaxation
        self.model: Model = relaxation.model
        self.at = at
        self.chosen = {branch.item.step: branch for branch in draft}
        self.rooms = relaxation.rows.rooms - sum([branch.load for branch in draft])
        self.variances = relaxation.rows.none
        self.users: dict[int, int] = {}
        """How many chosen steps require a step."""
        self.entries: dict[int, int] = {}
        for branch in draft:
            self.variances = joined(self.variances, branch.item)
            self._count(branch.item.step, 1)

    def _count(self, step: int, by: int) -> None:
        topic = self.model.topics[step]
        self.entries[topic] = self.entries.get(topic, 0) + by
        for requirement in self.model.requires[step]:
            self.users[requirement] = self.users.get(requirement, 0) + by

    def run(self) -> Draft:
        """The plan, changed until nothing that is tried adds value."""
        for _ in range(PASSES):
            if not self._pass():
                break
        return list(self.chosen.values())

    def _pass(self) -> bool:
        """Makes changes of steps that were not changed in this pass; whether any was made."""
        changes = list(self._changes())
        adding = nlargest(CANDIDATES, [c for c in changes if c.gain > 0.0], key=_promise)
        giving = nlargest(CANDIDATES, [c for c in changes if c.gain <= 0.0], key=_promise)
        touched: set[int] = set()
        for first in adding:
            if self._is_open(first, touched):
                for change in self._best_pair(first, giving, touched):
                    self._make(change)
                    touched.add(change.step)
        return bool(touched)

    def _is_open(self, change: Change, touched: set[int]) -> bool:
        """Whether a change is still what it was when the pass began."""
        if change.step in touched:
            return False
        if not change.places:
            return True
        is_possible = self._has_needs(change.step) if change.new else not self._is_used(change.step)
        return is_possible and change.gain == self._gain(change.step, change.old, change.new)

    def _has_needs(self, step: int) -> bool:
        return all(requirement in self.chosen for requirement in self.model.requires[step])

    def _is_used(self, step: int) -> bool:
        return self.users.get(step, 0) > 0

    def _best_pair(
        self, first: Change, others: Sequence[Change], touched: set[int]
    ) -> tuple[Change, ...]:
        """The first change alone, if it fits, or with the other that gives up least."""
        guards = self.relaxation.rows.guards
        spare = self.model.max_steps - len(self.chosen)
        rooms = self.rooms + first.freed
        is_short = first.places > spare or (rooms - first.taken) & guards != guards
        if not is_short and self._holds((first,)):
            return (first,)
        best: tuple[Change, ...] = ()
        most = 0.0
        for other in others:
            if (gain := first.gain + other.gain) <= most or first.places + other.places > spare:
                continue
            left = rooms + other.freed - first.taken
            # A field may borrow once, so amounts are taken one after the other.
            if left & guards != guards or (left - other.taken) & guards != guards:
                continue
            if self._is_open(other, touched) and self._is_pair(first, other):
                best, most = (first, other), gain
        return best

    def _is_pair(self, first: Change, other: Change) -> bool:
        """Whether two changes that fit together can be made together."""
        if first.step == other.step or not self._holds((first, other)):
            return False
        if not first.places or not other.places:
            return True
        topics, requires = self.model.topics, self.model.requires
        return (
            other.step not in requires[first.step]
            and first.step not in requires[other.step]
            and (topics[first.step] < 0 or topics[first.step] != topics[other.step])
        )

    def _holds(self, changes: Sequence[Change]) -> bool:
        """Whether the margins still fit."""
        if not self.relaxation.rows.is_risky:
            return True
        rooms, variances = self.rooms, self.variances
        for _, _, _, old, new, freed, taken in changes:
            rooms += freed - taken
            variances = parted(variances, old.item) if old else variances
            variances = joined(variances, new.item) if new else variances
        return self.relaxation.rows.hold(rooms, variances)

    def _make(self, change: Change) -> None:
        _, _, step, old, new, freed, taken = change
        self.rooms += freed - taken
        if old:
            self.variances = parted(self.variances, old.item)
            del self.chosen[step]
            self._count(step, -1)
        if new:
            self.variances = joined(self.variances, new.item)
            self.chosen[step] = new
            self._count(step, 1)

    def _changes(self) -> Iterator[Change]:
        """All changes of one step that leave a plan, but for the rows."""
        relaxation = self.relaxation
        worth, tops, best = self.at.worth, self.at.tops, self.at.best
        for place, (step, branches, needed, _) in enumerate(relaxation.core):
            old = self.chosen.get(step)
            if not old and not self._has_needs(step):
                continue
            start = relaxation.starts[place]
            offset = best[place] - tops[place]
            before, freed = 0.0, 0
            if old:
                before, freed = worth[start + branches.index(old)] + offset, old.load
                if not needed and not self._is_used(step):
                    yield Change(-before, self._gain(step, old, None), step, old, None, freed, 0)
            for i, new in enumerate(branches, start):
                if new is not old:
                    promise = worth[i] + offset - before
                    gain = self._gain(step, old, new)
                    yield Change(promise, gain, step, old, new, freed, new.load)

    def _gain(self, step: int, old: Branch | None, new: Branch | None) -> float:
        gain = (new.value if new else 0.0) - (old.value if old else 0.0)
        topic = self.model.topics[step]
        if topic >= 0 and (not old or not new):
            others = self.entries.get(topic, 0) - (old is not None)
            gain += self.model.penalty * others * (1 if old else -1)
        return gain


def _promise(change: Change) -> float:
    return change.promise


def exchanged(relaxation: Relaxation, at: Relaxed, draft: Draft) -> Draft:
    """A plan at least as good as a draft; a clock is not looked at, so there it is the draft."""
    if not draft or relaxation.model.clock:
        return draft
    return Exchange(relaxation, at, draft).run()
