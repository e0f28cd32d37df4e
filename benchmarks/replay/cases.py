"""The questions that are asked of a policy: one input, the plans it could have, a budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.replay.execution_log import ExecutedPlan, QueryTask, group_by_task

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
CANDIDATES_MIN = 2
"""With fewer there is nothing to choose."""


@dataclass(frozen=True)
class ReplayCase:
    """One input of a task, and the plans that were executed on it."""

    task: QueryTask
    sample: int
    candidates: tuple[ExecutedPlan, ...]
    """Those that were executed on other inputs of the task as well, so that each has a past."""
    earlier: tuple[tuple[ExecutedPlan, ...], ...]
    """Of each candidate, its executions on other inputs."""
    budgets_nano_usd: tuple[int, ...]
    """Quantiles of what plans of the task were billed, one for each of `QUANTILES`."""


def make_cases(rows: Sequence[ExecutedPlan]) -> list[ReplayCase]:
    """Every input that has enough candidates."""
    found = []
    for task, executed in sorted(group_by_task(rows).items()):
        budgets = tuple(_quantile([row.bill_nano_usd for row in executed], q) for q in QUANTILES)
        for sample in sorted({row.sample for row in executed}):
            of_sample = [row for row in executed if row.sample == sample]
            others = [row for row in executed if row.sample != sample]
            pasts = [(row, tuple(o for o in others if o.plan == row.plan)) for row in of_sample]
            pasts = [(row, past) for row, past in pasts if past]
            if len(pasts) >= CANDIDATES_MIN:
                candidates, earlier = zip(*pasts, strict=True)
                found.append(ReplayCase(task, sample, candidates, earlier, budgets))
    return found


def tuning_tasks(rows: Iterable[ExecutedPlan]) -> set[QueryTask]:
    """The half of the tasks of each pool that choices of the policy were made on."""
    random, chosen = Random(0), set()
    tasks = sorted(group_by_task(rows))
    for pool in sorted({task.pool for task in tasks}):
        of_pool = [task for task in tasks if task.pool == pool]
        random.shuffle(of_pool)
        chosen.update(of_pool[: len(of_pool) // 2])
    return chosen


def _quantile(values: Iterable[int], share: float) -> int:
    """Between the two nearest values, in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (place - low) * (ordered[high] - ordered[low]))
