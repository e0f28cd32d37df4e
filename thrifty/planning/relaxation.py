"""An upper bound on every plan's value: conditions that couple the steps are priced, not kept.

Lagrangian relaxation. Each limited resource gets a price for its use, each requirement a price
that the dependent step pays to the required one, each shared topic a price for entering it.
What remains falls apart into single steps: take the best option of each, then the best
`max_steps` of them. The prices that make the bound lowest are found by subgradient steps.
Sources: A. M. Geoffrion, "Lagrangean relaxation for integer programming" (1974); M. Held,
P. Wolfe, H. P. Crowder, "Validation of subgradient optimization" (1974); B. T. Polyak (1969).

Values here are floats in units of the model, the spend taken off as far less than one unit, so
that of two plans of equal value the cheaper one has the higher bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import chain, pairwise
from math import gcd, sqrt

from thrifty.planning import risk
from thrifty.planning.model import Item, Model

AMBITION = 0.2
"""How far below the best bound a step of the descent aims at most."""
PATIENCE = 4
"""After how many steps without a better bound the steps become half as long."""


@dataclass(slots=True)
class Prices:
    """A point of the dual problem; every point with prices of zero or more gives a bound."""

    rows: list[float]
    """For each row, the price of the average step's use of it."""
    arcs: dict[tuple[int, int], float]
    """For each (step, required step), what the step pays."""
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
    worth: list[float]
    """Each item's value less all prices, in the order of `Relaxation.items`."""
    best: list[float]
    """Each step's best worth."""
    taken: list[int]
    """The steps taken, best first."""
    prices: Prices


class Relaxation:
    """The part of the bound that no price changes."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.items = list(chain.from_iterable(model.items))
        starts = [0]
        for group in model.items:
            starts.append(starts[-1] + len(group))
        self.spans = list(pairwise(starts))
        self.places = _places(model)
        self.values = combined_values(model, self.items)
        self.columns = _columns(model, self.items, self.places)
        self.arcs = [(s, r) for s, before in enumerate(model.requires) for r in before]
        self.topic_count = max(model.topics, default=-1) + 1 if model.penalty else 0
        self.required = [step for step, needed in enumerate(model.required) if needed]
        self.optional = [step for step, needed in enumerate(model.required) if not needed]

    def solve(self, prices: Prices) -> Relaxed:
        """The best that the prices leave."""
        worth = self.values
        for price, column in zip(prices.rows, self.columns, strict=True):
            if price:
                worth = [
                    value - price * amount for value, amount in zip(worth, column, strict=True)
                ]
        best = [max(worth[start:end]) for start, end in self.spans]
        constant = self.places * sum(prices.rows)
        for (step, requirement), price in prices.arcs.items():
            best[step] -= price
            best[requirement] += price
        if self.topic_count:
            constant += self._enter_topics(prices.topics, best)
        taken = self._take(best)
        bound = constant + sum(best[step] for step in taken)
        return Relaxed(bound, worth, best, taken, prices)

    def _enter_topics(self, prices: list[float], best: list[float]) -> float:
        """Charges each step its topic's price; returns what the topics gain at most."""
        for step, topic in enumerate(self.model.topics):
            if topic >= 0:
                best[step] -= prices[topic]
        return sum(topic_gain(price, self.model.penalty) for price in prices)

    def _take(self, best: list[float]) -> list[int]:
        places = self.model.max_steps - len(self.required)
        worthy = [step for step in self.optional if best[step] > 0.0]
        if len(worthy) > places:
            worthy = nlargest(places, worthy, key=best.__getitem__)
        return self.required + worthy

    def slopes(self, at: Relaxed) -> Prices:
        """By how much each priced condition is kept (positive) or broken (negative)."""
        items = [self.best_item(at, step) for step in at.taken]
        rows = [self.places - sum([column[item] for item in items]) for column in self.columns]
        arcs: dict[tuple[int, int], float] = {}
        if self.arcs:
            taken = set(at.taken)
            for arc in self.arcs:
                slope = (arc[1] in taken) - (arc[0] in taken)
                if slope < 0 or (slope and arc in at.prices.arcs):
                    arcs[arc] = float(slope)
        topics = [0.0] * self.topic_count
        if self.topic_count:
            for topic, price in enumerate(at.prices.topics):
                topics[topic] = float(topic_entries(price, self.model.penalty))
            for step in at.taken:
                if (topic := self.model.topics[step]) >= 0:
                    topics[topic] -= 1.0
        return Prices(rows, arcs, topics)

    def best_item(self, at: Relaxed, step: int) -> int:
        """The item that the relaxed problem takes for a step."""
        start, end = self.spans[step]
        return max(range(start, end), key=at.worth.__getitem__)

    def start(self, value: float) -> Prices:
        """First prices: what a plan of that value brings a step, shared out among the rows."""
        price = max(0.0, value) / (self.places * (len(self.columns) + 1))
        return Prices([price] * len(self.columns), {}, [0.0] * self.topic_count)

    def densities(self) -> list[float]:
        """Each item's value for its share of all capacities, a place in the plan included."""
        shares = [1.0] * len(self.items)
        for column in self.columns:
            shares = [share + amount for share, amount in zip(shares, column, strict=True)]
        return [value / share for value, share in zip(self.values, shares, strict=True)]

    def value(self, chosen: Sequence[Item]) -> float:
        """The value of a plan, less the trifle for its spend."""
        value_of = dict(zip(self.items, self.values, strict=True))
        return self.model.worth(chosen) + sum(value_of[item] - item.value for item in chosen)


def descend(relaxation: Relaxation, start: Prices, target: float, rounds: int) -> Relaxed:
    """The lowest bound that a number of subgradient steps finds.

    Args:
        relaxation: what is to be bounded.
        start: the first prices to try.
        target: the value of a known plan; no bound can be lower.
        rounds: how many prices to try.
    """
    best = at = relaxation.solve(start)
    pace, stalled = 1.0, 0
    for _ in range(rounds):
        slopes = relaxation.slopes(at)
        norm = slopes.norm()
        if norm < 1e-12 or best.bound <= target:
            break
        aim = max(target, best.bound - AMBITION * abs(best.bound))
        at = relaxation.solve(at.prices.moved(slopes, pace * (at.bound - aim) / norm))
        if at.bound < best.bound:
            best, stalled = at, 0
        else:
            stalled += 1
            if stalled == PATIENCE:
                pace, stalled, at = pace / 2, 0, best
    return best


def topic_entries(price: float, penalty: int) -> int:
    """How many steps a topic would admit at that price for entering it."""
    return int(price / penalty) + 1 if price > 0.0 else 0


def topic_gain(price: float, penalty: int) -> float:
    """The most a topic gains from entries at that price, less their redundancy: the conjugate
    of penalty * k * (k - 1) / 2."""
    entries = topic_entries(price, penalty)
    return price * entries - penalty * (entries * (entries - 1) // 2)


def combined_values(model: Model, items: Sequence[Item]) -> list[float]:
    """Values, less a trifle for the first resource that anything uses: lower spend wins ties."""
    for place in range(len(items[0].spend) if items else 0):
        spends = [item.spend[place] for item in items]
        if common := gcd(*spends):
            whole = sum(max(item.spend[place] for item in group) for group in model.items)
            trifle = common / (whole + common)
            return [
                item.value - trifle * (spend // common)
                for item, spend in zip(items, spends, strict=True)
            ]
    return [float(item.value) for item in items]


def _places(model: Model) -> int:
    """About how many steps a plan will have."""
    steps = len(model.items)
    places = float(min(model.max_steps, steps))
    for row, capacity in enumerate(model.capacities):
        if used := sum(group[0].amounts[row] for group in model.items):
            places = min(places, capacity * steps / used)
    return max(1, round(places))


def _columns(model: Model, items: Sequence[Item], places: int) -> list[list[float]]:
    """Each row's amounts, as multiples of the average step's share of the capacity."""
    columns = []
    for row, capacity in enumerate(model.capacities):
        slope = _margin_slope(model, row, items) if capacity else 0.0
        unit = places / capacity if capacity else 0.0
        if slope:
            columns.append(
                [
                    (i.amounts[row] + (slope * i.variances[row] if i.variances else 0.0)) * unit
                    for i in items
                ]
            )
        else:
            columns.append([item.amounts[row] * unit for item in items])
    return columns


def _margin_slope(model: Model, row: int, items: Sequence[Item]) -> float:
    """The square root of a plan's variance is at least this times the variance.

    The root is concave, so between zero and the largest variance a plan can have it lies above
    the chord. That largest variance is bounded by the steps with the largest ones, and, since
    estimates fit in the capacity, by the largest variance for an amount.
    """
    largest = [max((i.variances[row] for i in g if i.variances), default=0) for g in model.items]
    by_steps = sum(nlargest(model.max_steps, largest))
    if not by_steps:
        return 0.0
    density = max(
        i.variances[row] / i.amounts[row] for i in items if i.variances and i.variances[row]
    )
    most = min(float(by_steps), density * model.capacities[row])
    return 1.0 / sqrt(most * risk.CONE)
