"""Better prices of requirements and topics, one at a time, while those of the rows stay.

A subgradient changes all prices by one length, which suits few of them where there are
thousands. Here each requirement pays exactly what turns a loss into none, as in a flow from the
steps that gain to those that lose, and each topic charges what admits as many as want to enter;
every change lowers the bound, or leaves it. Sources: the closure of a graph as a flow, J.-C.
Picard, "Maximal closure of a graph", Management Science 22 (1976); one price at a time, M.
Guignard, M. B. Rosenwein, "An application-oriented guide for designing Lagrangean dual ascent
algorithms", European Journal of Operational Research 43 (1989).
"""

from collections.abc import Iterable
from math import inf
from typing import NamedTuple

from thrifty.planning.solver.relaxation import (
    DualPrices,
    Relaxation,
    RelaxedSolution,
    RequirementArc,
    topic_gain,
)


class Way(NamedTuple):
    """A requirement, by the places of the core."""

    arc: RequirementArc
    step: int
    requirement: int


class Settling:
    """The requirements of a relaxation in the order in which steps can be done."""

    def __init__(self, relaxation: Relaxation) -> None:
        self.relaxation = relaxation
        core, place = relaxation.core, relaxation.place_of
        requires = relaxation.model.requires
        self.needs = {
            i: [place[step] for step in requires[position.step]]
            for i, position in enumerate(core)
            if requires[position.step]
        }
        self.ways = [
            Way((core[i].step, core[j].step), i, j)
            for i in _in_order(self.needs)
            for j in self.needs[i]
            if not core[j].needed
        ]
        """Those of a step after those of what it requires; what is needed, nobody pays for."""
        self.down = self.ways[::-1]

    def solve(self, prices: DualPrices) -> RelaxedSolution:
        """The relaxed problem at the same prices of rows, and better ones of all else."""
        return self.settled(self.relaxation.solve(prices))

    def slopes(self, at: RelaxedSolution) -> DualPrices:
        """Those of the rows, when whatever is required is taken too."""
        return DualPrices(self.relaxation.rooms(at, self.with_needs(at.chosen_places)), {}, {})

    def settled(self, at: RelaxedSolution) -> RelaxedSolution:
        """The same, from the relaxed problem at some prices."""
        relaxation, penalty = self.relaxation, self.relaxation.model.penalty
        best, arcs, topics = at.net_step_values[:], dict(at.prices.arcs), dict(at.prices.topics)
        gain = sum([topic_gain(price, penalty) for price in topics.values()])
        edge = relaxation.entry_value(best)
        self._enter(best, topics, edge)
        self._pay(best, arcs, edge)
        self._repay(best, arcs, edge)
        gain -= sum([topic_gain(price, penalty) for price in topics.values()])
        constant, taken = at.constant - gain, relaxation.best_places(best)
        bound = constant + sum(map(best.__getitem__, taken))
        prices = DualPrices(at.prices.rows, arcs, topics)
        return RelaxedSolution(
            bound,
            constant,
            at.topic_gain - gain,
            at.item_values,
            at.step_values,
            best,
            taken,
            prices,
        )

    def _pay(self, best: list[float], arcs: dict[RequirementArc, float], edge: float) -> None:
        """Steps that gain pay for what they require and what that requires."""
        lack = [edge - x if x < edge else 0.0 for x in best]
        for _, i, j in self.ways:
            lack[i] += lack[j]
        for arc, i, j in self.down:
            if (more := lack[j]) > 0.0 and (gain := best[i] - edge) > 0.0:
                paid = min(gain, more)
                arcs[arc] = arcs.get(arc, 0.0) + paid
                best[i] -= paid
                best[j] += paid
                lack[j] = more - paid

    def _repay(self, best: list[float], arcs: dict[RequirementArc, float], edge: float) -> None:
        """Steps that were paid more than they need give it back to those that lose."""
        lack = [edge - x if x < edge else 0.0 for x in best]
        paid_ways = [(way, paid) for way in self.ways if (paid := arcs.get(way.arc))]
        for (_, i, j), paid in reversed(paid_ways):
            if less := min(paid, lack[i]):
                lack[j] += less
        for (arc, i, j), paid in paid_ways:
            gain = best[j] - edge
            if gain > 0.0 and (less := min(gain, paid, lack[i])) > 0.0:
                arcs[arc] = paid - less
                best[i] += less
                best[j] -= less
                lack[i] -= less

    def _enter(self, best: list[float], topics: dict[int, float], edge: float) -> None:
        """Topics charge the least that admits no more than pay for it."""
        core, penalty = self.relaxation.core, self.relaxation.model.penalty
        for topic, places in self.relaxation.topic_places.items():
            if len(places) < 2:
                continue
            old = topics.get(topic, 0.0)
            wishes = sorted(
                [inf if core[i].needed else best[i] + old - edge for i in places], reverse=True
            )
            price = _price(wishes, penalty) if wishes[1] > 0.0 else 0.0
            if price != old:
                topics[topic] = price
                for i in places:
                    best[i] += old - price

    def with_needs(self, taken: Iterable[int]) -> list[int]:
        """Places, and those of all that they require."""
        found = dict.fromkeys(taken)
        queue = list(found)
        for i in queue:
            for j in self.needs.get(i, ()):
                if j not in found:
                    found[j] = None
                    queue.append(j)
        return queue


def _price(wishes: list[float], penalty: int) -> float:
    """The least price at which a topic admits as many as still wish to enter; most wish first."""
    entries = 1
    while entries < len(wishes) and wishes[entries] > entries * penalty:
        entries += 1
    least = (entries - 1) * penalty
    return max(float(least), wishes[entries]) if entries < len(wishes) else float(least)


def _in_order(needs: dict[int, list[int]]) -> list[int]:
    """The places that require something, each after all that it requires."""
    done: dict[int, bool] = {}
    order = []
    for first in needs:
        stack = [first]
        while stack:
            i = stack[-1]
            if i in done:
                stack.pop()
                if not done[i]:
                    done[i] = True
                    order.append(i)
            else:
                done[i] = False
                stack += [j for j in needs[i] if j in needs and j not in done]
    return order
