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

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import chain
from math import sqrt

from thrifty.planning import risk
from thrifty.planning.core import Core
from thrifty.planning.model import Item, Model

Arc = tuple[int, int]
"""A step and a step that it requires."""
UNITS_MAX = 100.0
"""The most units that a capacity is divided into."""


@dataclass(slots=True)
class Prices:
    """A point of the dual problem; every point with prices of zero or more gives a bound."""

    rows: list[float]
    """For each row, the price of the average step's use of it."""
    arcs: dict[Arc, float]
    """What a step pays to a step that it requires."""
    topics: list[float]
    """For each shared topic, what a step pays to enter it."""

    def norm(self) -> float:
        """The squared length, when these are slopes."""
        return sum([x * x for x in chain(self.rows, self.arcs.values(), self.topics)])

    def moved(self, slopes: Prices, length: float) -> Prices:
        """The prices some way down the slopes, none below zero."""
        arcs = dict(self.arcs)
        for arc, slope in slopes.arcs.items():
            arcs[arc] = max(0.0, arcs.get(arc, 0.0) - length * slope)
        return Prices(
            [max(0.0, p - length * g) for p, g in zip(self.rows, slopes.rows, strict=True)],
            arcs,
            [max(0.0, p - length * g) for p, g in zip(self.topics, slopes.topics, strict=True)],
        )


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The relaxed problem at some prices, solved."""

    bound: float
    constant: float
    """The part of the bound that no step brings."""
    worth: list[float]
    """Each item's value less the prices of its amounts."""
    best: list[float]
    """Each position's best worth, less all its prices."""
    taken: list[int]
    """The positions taken, the needed ones first."""
    prices: Prices


class Relaxation:
    """The part of the bound that no price changes. Places count the positions of the core."""

    def __init__(self, model: Model, core: Core, units: Sequence[float]) -> None:
        self.model = model
        self.core = core
        self.units = units
        self.items = [branch.item for position in core for branch in position.branches]
        self.values = [branch.value for position in core for branch in position.branches]
        self.spans: list[tuple[int, int]] = []
        end = 0
        for position in core:
            self.spans.append((end, end := end + len(position.branches)))
        self.place = {position.step: place for place, position in enumerate(core)}
        self.arcs = [(p.step, r) for p in core for r in model.requires[p.step]]
        topics = [model.topics[position.step] for position in core] if model.penalty else []
        self.topics = [(place, topic) for place, topic in enumerate(topics) if topic >= 0]
        self.needed = [place for place, position in enumerate(core) if position.needed]
        self.optional = [place for place, position in enumerate(core) if not position.needed]
        self.free = model.max_steps - len(self.needed)
        self.columns = [self._column(row, unit) for row, unit in enumerate(units)]

    def _column(self, row: int, unit: float) -> list[float]:
        slope = margin_slope(self.model, row, self.items)
        if not slope:
            return [item.amounts[row] * unit for item in self.items]
        return [
            (i.amounts[row] + (slope * i.variances[row] if i.variances else 0.0)) * unit
            for i in self.items
        ]

    def solve(self, prices: Prices) -> Relaxed:
        """The best that the prices leave."""
        worth = self.values
        constant = 0.0
        for row, price in enumerate(prices.rows):
            if price:
                column = self.columns[row]
                worth = [w - price * a for w, a in zip(worth, column, strict=True)]
                constant += price * self.model.capacities[row] * self.units[row]
        best = [max(worth[start:end]) for start, end in self.spans]
        place = self.place
        for (step, requirement), price in prices.arcs.items():
            if price and step in place and requirement in place:
                best[place[step]] -= price
                best[place[requirement]] += price
        for member, topic in self.topics:
            best[member] -= prices.topics[topic]
        if self.topics:
            constant += sum([topic_gain(p, self.model.penalty) for p in prices.topics if p])
        taken = self._take(best)
        return Relaxed(
            constant + sum([best[i] for i in taken]), constant, worth, best, taken, prices
        )

    def value(self, chosen: Sequence[Item]) -> float:
        """The value of a plan, less the trifle for its spend."""
        value_of = {branch.item.name: branch.value for p in self.core for branch in p.branches}
        return self.model.worth(chosen) + sum(value_of[i.name] - i.value for i in chosen)

    def _take(self, best: list[float]) -> list[int]:
        worthy = [place for place in self.optional if best[place] > 0.0]
        if len(worthy) > self.free:
            worthy = sorted(worthy, key=best.__getitem__, reverse=True)[: self.free]
        return self.needed + worthy

    def slopes(self, at: Relaxed) -> Prices:
        """By how much each priced condition is kept (positive) or broken (negative)."""
        items = [self.best_item(at, place) for place in at.taken]
        rows = [
            capacity * unit - sum([column[item] for item in items])
            for capacity, unit, column in zip(
                self.model.capacities, self.units, self.columns, strict=True
            )
        ]
        arcs: dict[Arc, float] = {}
        if self.arcs:
            taken = {self.core[place].step for place in at.taken}
            for arc in self.arcs:
                slope = (arc[1] in taken) - (arc[0] in taken)
                if slope < 0 or (slope and arc in at.prices.arcs):
                    arcs[arc] = float(slope)
        return Prices(rows, arcs, self._topic_slopes(at))

    def _topic_slopes(self, at: Relaxed) -> list[float]:
        if not self.topics:
            return [0.0] * len(at.prices.topics)
        slopes = [float(topic_entries(p, self.model.penalty)) for p in at.prices.topics]
        for place in at.taken:
            if (topic := self.model.topics[self.core[place].step]) >= 0:
                slopes[topic] -= 1.0
        return slopes

    def best_item(self, at: Relaxed, place: int) -> int:
        """The item that the relaxed problem takes at a place."""
        start, end = self.spans[place]
        return start if end - start == 1 else max(range(start, end), key=at.worth.__getitem__)


def row_units(model: Model) -> list[float]:
    """For each row, the unit in which the average step of a plan uses about one, or less."""
    steps = len(model.items)
    places = float(min(model.max_steps, steps))
    for row, capacity in enumerate(model.capacities):
        if used := sum(group[0].amounts[row] for group in model.items):
            places = min(places, capacity * steps / used)
    # Beyond this, the slopes of the rows would drown those of requirements and topics.
    places = min(max(1.0, places), UNITS_MAX)
    return [places / capacity if capacity else 0.0 for capacity in model.capacities]


def topic_entries(price: float, penalty: int) -> int:
    """How many steps a topic would admit at that price for entering it."""
    return int(price / penalty) + 1 if price > 0.0 else 0


def topic_gain(price: float, penalty: int) -> float:
    """The most a topic gains from entries at that price, less their redundancy: the conjugate
    of penalty * k * (k - 1) / 2."""
    entries = topic_entries(price, penalty)
    return price * entries - penalty * (entries * (entries - 1) // 2)


def margin_slope(model: Model, row: int, items: Sequence[Item]) -> float:
    """The margin of any plan of these items is at least this times its variance.

    The square root is concave, so between zero and the largest variance a plan can have it lies
    above the chord. That variance is bounded by the steps with the largest ones and, since
    estimates fit in the capacity, by the largest variance for an amount.
    """
    largest: dict[int, int] = {}
    density = 0.0
    for item in items:
        if item.variances and (variance := item.variances[row]):
            largest[item.step] = max(largest.get(item.step, 0), variance)
            density = max(density, variance / item.amounts[row])
    by_steps = sum(nlargest(model.max_steps, largest.values()))
    most = min(float(by_steps), density * model.capacities[row])
    return 1.0 / sqrt(most * risk.CONE) if most else 0.0
