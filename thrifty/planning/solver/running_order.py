"""The order in which a plan is run: what brings most for its share of the spend comes first.

A run may end early. Of three orders simulated, dense value first kept most of the value (cheap
first and valuable first kept less). The share is one of the plan's own total, never of the
budget, so that a larger budget does not change how a set of steps is run. For the same reason
values are compared in millionths: a model's own unit depends on which options fit at all, and
equal densities would be rounded apart in one unit and not in another.
"""

from collections.abc import Sequence
from math import inf

from thrifty.budget.step_set import order_by_rank
from thrifty.planning.solver.knapsack_item import KnapsackItem


def order_items(
    chosen: Sequence[KnapsackItem],
    follows: Sequence[Sequence[int]],
    revisions: Sequence[bool],
    unit_micro: int,
) -> list[KnapsackItem]:
    """Orders items: dense value first, what others follow earlier, sections before revisions."""
    items = {item.step: item for item in chosen}
    ranks = {
        item.step: (revisions[item.step], -density, item.name)
        for item, density in zip(chosen, _densities(chosen, unit_micro), strict=True)
    }
    return [items[s] for s in order_by_rank(ranks, {step: follows[step] for step in items})]


def _densities(chosen: Sequence[KnapsackItem], unit_micro: int) -> list[float]:
    """Millionths of value for each share of the plan's total spend, all resources alike."""
    shares = [0.0] * len(chosen)
    for column in zip(*[item.spend for item in chosen], strict=True):
        if whole := sum(column):
            shares = [share + amount / whole for share, amount in zip(shares, column, strict=True)]
    return [
        item.value * unit_micro / share if share else inf
        for item, share in zip(chosen, shares, strict=True)
    ]
