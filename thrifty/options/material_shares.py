"""What the steps of a decomposition are worth, as shares of a result with all that it needs.

A step's weight is its share of the importance of all that the result is made of. The result reaches
a part of a material's weight without it, and the material is worth the rest: what its readers lose
without it. What materials read counts with them, since they are not made without it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from thrifty.budget.step_set import order_by_rank
from thrifty.options.decomposition import PlannedStep


class Shares(NamedTuple):
    """What the steps are worth, by name. A revision has no share."""

    worth: Mapping[str, float]
    """Of an answer or a section, its weight and what it reaches of its material's. Of a material,
    what its readers lose without it."""
    weights: Mapping[str, float]
    """Their importance, as a share of that of the whole result."""


def share_out(steps: Sequence[PlannedStep], kept: Mapping[str, float]) -> Shares:
    """Shares out the worth of a result.

    Args:
        steps: a decomposition's.
        kept: for each material, how much of its weight its readers reach without it.
    """
    readers = _readers(steps)
    weights = _weights(steps, readers)
    worth: dict[str, float] = {}
    gained = dict.fromkeys(weights, 0.0)
    reached = dict.fromkeys(weights, 0.0)
    for name in _sources_first(steps):
        if name not in weights:
            continue  # a revision
        if name not in kept:
            worth[name] = weights[name] + reached[name]
            continue
        gain = weights[name] * (1 - kept[name]) + gained[name]
        reach = weights[name] * kept[name] + reached[name]
        among = readers[name]
        passed_on = sum(reader in kept for reader in among)
        worth[name] = gain * (1 - passed_on / len(among) if among else 1)
        for reader in among:
            gained[reader] += gain / len(among)
            reached[reader] += reach / len(among)
    return Shares(worth, weights)


def _readers(steps: Sequence[PlannedStep]) -> dict[str, list[str]]:
    """By the name of each step, those that read it."""
    readers: dict[str, list[str]] = {step.name: [] for step in steps}
    for step in steps:
        for name in step.reads:
            if name in readers:  # and no document
                readers[name].append(step.name)
    return readers


def _weights(
    steps: Sequence[PlannedStep], readers: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Importance as a share of that of the result. What only acts outside comes on top of it."""
    counted = [step for step in steps if step.role != "revision"]
    whole = sum(s.importance for s in counted if s.role != "material" or readers[s.name])
    return {step.name: step.importance / whole for step in counted}


def _sources_first(steps: Sequence[PlannedStep]) -> list[str]:
    ranks = {step.name: place for place, step in enumerate(steps)}
    return order_by_rank(ranks, {step.name: step.reads for step in steps})
