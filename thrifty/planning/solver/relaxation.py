"""An upper bound on every plan's value: conditions that couple the steps are priced, not kept.

Lagrangian relaxation. Each limited resource gets a price for its use, each requirement a price
that the dependent step pays to the required one, each shared topic a price for entering it.
What remains falls apart into single steps: take the best option of each, then the best
`max_steps` of them. Sources: A. M. Geoffrion, "Lagrangean relaxation for integer programming",
Mathematical Programming Study 2 (1974); M. L. Fisher, Management Science 27 (1981).

Values here are floats in units of the model, the spend taken off as far less than one unit, so
that of two plans of equal value the cheaper one has the higher bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import NamedTuple, TypeVar

from thrifty.planning.solver.core import Core, beside_needed
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.margin_bound import (
    MarginRange,
    bound_margins,
    intersect_ranges,
    margin_range,
)
from thrifty.planning.solver.packed_rows import PackedRows

RequirementArc = tuple[int, int]
"""A step and a step that it requires."""
PricedKey = TypeVar("PricedKey", int, RequirementArc)


@dataclass(slots=True)
class DualPrices:
    """A point of the dual problem; every point with prices of zero or more gives a bound."""

    rows: list[float]
    """For each row, the price of the average step's use of it."""
    arcs: dict[RequirementArc, float]
    """What a step pays to a step that it requires; zero where none is given."""
    topics: dict[int, float]
    """What a step pays to enter a shared topic; zero where none is given."""

    def squared_length(self, slopes: DualPrices) -> float:
        """The squared length of the slopes, leaving out those along which no price can fall."""
        steepness = sum([g * g for p, g in zip(self.rows, slopes.rows, strict=True) if p or g < 0])
        steepness += _steepness(self.arcs, slopes.arcs)
        return steepness + _steepness(self.topics, slopes.topics)

    def with_half_couplings(self) -> DualPrices:
        """The same prices of rows, all others half as high."""
        arcs = {arc: price / 2 for arc, price in self.arcs.items()}
        return DualPrices(
            self.rows, arcs, {topic: price / 2 for topic, price in self.topics.items()}
        )

    def move_along(self, slopes: DualPrices, length: float) -> DualPrices:
        """The prices some way down the slopes, none below zero."""
        return DualPrices(
            [max(0.0, p - length * g) for p, g in zip(self.rows, slopes.rows, strict=True)],
            _move(self.arcs, slopes.arcs, length),
            _move(self.topics, slopes.topics, length),
        )


def _steepness(prices: Mapping[PricedKey, float], slopes: Mapping[PricedKey, float]) -> float:
    return sum([g * g for key, g in slopes.items() if g < 0.0 or prices.get(key)])


def _move(
    prices: dict[PricedKey, float], slopes: Mapping[PricedKey, float], length: float
) -> dict[PricedKey, float]:
    if not slopes:
        return prices
    moved = prices.copy()
    for key, slope in slopes.items():
        moved[key] = max(0.0, moved.get(key, 0.0) - length * slope)
    return moved


class RelaxedSolution(NamedTuple):
    """The solution of the relaxed problem at some prices."""

    bound: float
    constant: float
    """The part of the bound that no step brings."""
    topic_gain: float
    """The part of the constant that topics gain from entries."""
    item_values: list[float]
    """Each item's reduced value: its value less what its amounts cost at these prices."""
    step_values: list[float]
    """Each step's best reduced value."""
    net_step_values: list[float]
    """The same, less what the step pays for its requirements and topic, plus what it is paid."""
    chosen_places: list[int]
    """The places of the steps that the relaxed solution chooses, the needed ones first."""
    prices: DualPrices


class Relaxation:
    """The Lagrangian relaxation of a core. A place is the index of a step in the core."""

    def __init__(
        self,
        model: KnapsackModel,
        core: Core,
        rows: PackedRows,
        margins: Sequence[MarginRange] = (),
    ) -> None:
        """The relaxation of a core; the margins are those of the plans that matter, if known."""
        self.model = model
        self.core = core
        self.rows = rows
        self.items = [branch.item for position in core for branch in position.items]
        self.values = [branch.value for position in core for branch in position.items]
        ends = list(accumulate([len(position.items) for position in core], initial=0))
        self.starts = ends[:-1]
        self.slices = list(map(slice, ends, ends[1:]))
        self.place_of = {position.step: place for place, position in enumerate(core)}
        self.topic_places = self._topics() if model.penalty else {}  # else they couple nothing
        self.needed = [place for place, position in enumerate(core) if position.needed]
        self.optional = [place for place, position in enumerate(core) if not position.needed]
        self.free_places = max(0, model.max_steps - len(self.needed))
        self.beside = beside_needed(rows, core)
        """What is left to choose beside the least of all that is needed, if that fits."""
        self.margin_ranges = self._margin_ranges(margins)
        chords = list(zip(map(bound_margins, self.margin_ranges), rows.units, strict=True))
        self.columns = [
            chord.row_amounts(row, self.items, unit) for row, (chord, unit) in enumerate(chords)
        ]
        self.capacities = [
            (capacity - chord.base) * unit
            for capacity, (chord, unit) in zip(model.capacities, chords, strict=True)
        ]

    def _topics(self) -> dict[int, list[int]]:
        """The places of each shared topic's members."""
        topics: dict[int, list[int]] = {}
        for place, position in enumerate(self.core):
            if (topic := self.model.topics[position.step]) >= 0:
                topics.setdefault(topic, []).append(place)
        return topics

    def _margin_ranges(self, known: Sequence[MarginRange]) -> list[MarginRange]:
        """What the margins of the rows can be."""
        capacities = self.model.capacities
        if not self.rows.has_margins:
            return [(0.0, 0.0)] * len(capacities)
        steps = [self.items[of_place] for of_place in self.slices]
        needed = [position.needed for position in self.core]
        found = [
            margin_range(row, capacity, self.model.max_steps, steps, needed)
            for row, capacity in enumerate(capacities)
        ]
        return list(map(intersect_ranges, found, known)) if known else found

    def solve(self, prices: DualPrices) -> RelaxedSolution:
        """Solves the relaxed problem at these prices."""
        worth = self._reduced_values(prices.rows)
        constant, gain = sum(map(mul, prices.rows, self.capacities)), 0.0
        tops = list(map(max, map(worth.__getitem__, self.slices)))
        best = tops.copy()
        if prices.arcs:
            self._charge_requirements(prices.arcs, best)
        if prices.topics:
            gain = self._charge_topics(prices.topics, best)
            constant += gain
        taken = self.best_places(best)
        bound = constant + sum(map(best.__getitem__, taken))
        return RelaxedSolution(bound, constant, gain, worth, tops, best, taken, prices)

    def _reduced_values(self, prices: Sequence[float]) -> list[float]:
        """Each item's value less the prices of its amounts; two rows at a time, for speed."""
        worth = self.values
        priced = [(p, column) for p, column in zip(prices, self.columns, strict=True) if p]
        if len(priced) % 2:
            p, a = priced.pop()
            worth = [w - p * x for w, x in zip(worth, a, strict=True)]
        for (p, a), (q, b) in zip(priced[::2], priced[1::2], strict=True):
            worth = [w - p * x - q * y for w, x, y in zip(worth, a, b, strict=True)]
        return worth

    def _charge_requirements(
        self, prices: Mapping[RequirementArc, float], best: list[float]
    ) -> None:
        """Moves value from each step to those it requires, by the price of the requirement."""
        place = self.place_of
        for (step, requirement), price in prices.items():
            if price and step in place and requirement in place:
                best[place[step]] -= price
                best[place[requirement]] += price

    def _charge_topics(self, prices: Mapping[int, float], best: list[float]) -> float:
        """Charges steps for their topics and returns what the topics gain."""
        gain = 0.0
        for topic, price in prices.items():
            if price and topic in self.topic_places:
                gain += topic_gain(price, self.model.penalty)
                for place in self.topic_places[topic]:
                    best[place] -= price
        return gain

    def best_places(self, best: list[float]) -> list[int]:
        """The places of the steps that bring most, when each brings this."""
        worthy = [place for place in self.optional if best[place] > 0.0]
        if len(worthy) > self.free_places:  # sorted only where not all can be taken
            worthy = sorted(worthy, key=best.__getitem__, reverse=True)[: self.free_places]
        return self.needed + worthy

    def entry_value(self, best: list[float]) -> float:
        """The value from which on a step is among those that are chosen."""
        if not 0 <= self.free_places < len(self.optional):
            return 0.0
        return max(0.0, sorted([best[i] for i in self.optional], reverse=True)[self.free_places])

    def margin_looseness(self, prices: DualPrices, margin_ranges: Sequence[MarginRange]) -> float:
        """By how much a bound may be too high because margin bounds lie below true margins."""
        scaled = zip(prices.rows, self.rows.units, margin_ranges, strict=True)
        return sum(
            [
                price * unit * (high - low) ** 2 / (4.0 * (high + low))
                for price, unit, (low, high) in scaled
                if high
            ]
        )

    def slopes(self, solution: RelaxedSolution) -> DualPrices:
        """By how much each priced condition is kept (positive) or broken (negative)."""
        steps = {self.core[place].step for place in solution.chosen_places}
        rows = self.rooms(solution, solution.chosen_places)
        return DualPrices(
            rows, self._arc_slopes(solution, steps), self._topic_slopes(solution, steps)
        )

    def rooms(self, solution: RelaxedSolution, places: Sequence[int]) -> list[float]:
        """What the best items of these places leave of each row; negative when it is short."""
        tops, starts = solution.step_values.__getitem__, self.starts.__getitem__
        items = list(map(solution.item_values.index, map(tops, places), map(starts, places)))
        return [
            capacity - sum(map(column.__getitem__, items))
            for capacity, column in zip(self.capacities, self.columns, strict=True)
        ]

    def _arc_slopes(
        self, solution: RelaxedSolution, steps: set[int]
    ) -> dict[RequirementArc, float]:
        requires = self.model.requires
        # Where both are chosen, or neither, the slope is zero and left out.
        slopes = {(s, r): -1.0 for s in steps if requires[s] for r in requires[s] if r not in steps}
        for step, requirement in solution.prices.arcs:
            if requirement in steps and step not in steps:
                slopes[step, requirement] = 1.0
        return slopes

    def _topic_slopes(self, solution: RelaxedSolution, steps: set[int]) -> dict[int, float]:
        """Topics without a price that were entered once at most are neither kept nor broken."""
        if not self.topic_places:
            return {}
        entries = dict.fromkeys(solution.prices.topics, 0)
        for step in steps:
            if (topic := self.model.topics[step]) >= 0:
                entries[topic] = entries.get(topic, 0) + 1
        penalty, prices = self.model.penalty, solution.prices.topics
        slopes = {}
        for topic, count in entries.items():
            if slope := topic_entries(prices.get(topic, 0.0), penalty) - count:
                slopes[topic] = float(slope)
        return slopes


def topic_entries(price: float, penalty: int) -> int:
    """How many steps a topic would admit at that price for entering it."""
    return int(price / penalty) + 1


def topic_gain(price: float, penalty: int) -> float:
    """The most a topic gains from entries at that price, less their redundancy: the conjugate
    of penalty * k * (k - 1) / 2."""
    entries = topic_entries(price, penalty)
    return price * entries - penalty * (entries * (entries - 1) // 2)
