"""The questions that are asked of a policy: one input, the plans it could have, a budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from typing import Literal

from benchmarks.replay.execution_log import ExecutedPlan, QueryTask, group_by_task

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MULTIPLES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0)
BudgetRule = Literal["quantile", "times the cheapest"]
"""Budgets are quantiles of what the plans of a task were billed, or multiples of what its cheapest
plan was billed on average."""
BUDGETS: Mapping[BudgetRule, tuple[float, ...]] = {
    "quantile": QUANTILES,
    "times the cheapest": MULTIPLES,
}
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
    """One for each of those that its rule of `BUDGETS` has."""


def make_cases(rows: Sequence[ExecutedPlan], rule: BudgetRule = "quantile") -> list[ReplayCase]:
    """Every input that has enough candidates, with the budgets of a rule."""
    found = []
    for task, executed in sorted(group_by_task(rows).items()):
        budgets = tuple(_budget(executed, rule, amount) for amount in BUDGETS[rule])
        for sample in sorted({row.sample for row in executed}):
            of_sample = [row for row in executed if row.sample == sample]
            others = [row for row in executed if row.sample != sample]
            pasts = [(row, tuple(o for o in others if o.plan == row.plan)) for row in of_sample]
            pasts = [(row, past) for row, past in pasts if past]
            if len(pasts) >= CANDIDATES_MIN:
                candidates, earlier = zip(*pasts, strict=True)
                found.append(ReplayCase(task, sample, candidates, earlier, budgets))
    return found


def _budget(executed: Sequence[ExecutedPlan], rule: BudgetRule, amount: float) -> int:
    if rule == "quantile":
        return _quantile([row.bill_nano_usd for row in executed], amount)
    bills: dict[tuple[str, ...], list[int]] = {}
    for row in executed:
        bills.setdefault(row.plan, []).append(row.bill_nano_usd)
    return round(amount * min(map(fmean, bills.values())))


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
