"""Figures of a replay: means over cases, and how far they could be chance.

Cases of one task are not independent, so the interval is that of a bootstrap over tasks: the
tasks are drawn anew, with all their cases. Source: B. Efron, R. J. Tibshirani, "An Introduction
to the Bootstrap" (1993), section 8.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random
from statistics import fmean
from typing import NamedTuple

from benchmarks.replay.execution_log import QueryTask

RESAMPLES = 2_000
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean, and where it lies in 95 of 100 drawings of tasks."""

    mean: float
    low: float
    high: float


def bootstrap_by_task(
    tasks: Sequence[QueryTask], values: Sequence[float], seed: int = 0
) -> Interval:
    """The mean of one value a case, with its interval."""
    sums: defaultdict[QueryTask, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for task, value in zip(tasks, values, strict=True):
        sums[task][0] += value
        sums[task][1] += 1
    pairs, random = list(sums.values()), Random(seed)
    means = sorted(_mean_of_pairs(random.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    edge = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(fmean(values), means[edge], means[-1 - edge])


def _mean_of_pairs(pairs: Sequence[Sequence[float]]) -> float:
    return sum(total for total, _ in pairs) / sum(count for _, count in pairs)
