"""The order in which a plan is run: what brings most for its share of the spend comes first.

A run may end early. Of three orders simulated, dense value first kept most of the value (cheap
first and valuable first kept less). The share is one of the plan's own total, never of the
budget, so that a larger budget does not change how a set of steps is run. For the same reason
values are compared in millionths: a model's own unit depends on which options fit at all, and
equal densities would be rounded apart in one unit and not in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thrifty.planning.model import Item


def in_order(
    chosen: Sequence[Item],
    requires: Sequence[Sequence[int]],
    revisions: Sequence[bool],
    unit_micro: int,
) -> list[Item]:
    """Dense value first, requirements before what requires them, sections before revisions."""
    totals = [sum(amounts) for amounts in zip(*(item.spend for item in chosen), strict=True)]
    items = {item.step: item for item in chosen}
    waits = {step: [r for r in requires[step] if r in items] for step in items}
    followers: dict[int, list[int]] = {step: [] for step in items}
    for step, before in waits.items():
        for requirement in before:
            followers[requirement].append(step)
    missing = {step: len(before) for step, before in waits.items()}
    rank = {
        step: (revisions[step], -_density(item, totals, unit_micro), item.name)
        for step, item in items.items()
    }
    ready = [(rank[step], step) for step in items if not missing[step]]
    heapify(ready)
    ordered = []
    while ready:
        step = heappop(ready)[1]
        ordered.append(items[step])
        for follower in followers[step]:
            missing[follower] -= 1
            if not missing[follower]:
                heappush(ready, (rank[follower], follower))
    return ordered


def _density(item: Item, totals: Sequence[int], unit_micro: int) -> float:
    """Millionths of value for each share of the plan's total spend, all resources alike."""
    share = sum(amount / whole for amount, whole in zip(item.spend, totals, strict=True) if whole)
    return item.value * unit_micro / share if share else inf
