"""What earlier bills and scores say of a plan, learned by thrifty's own code, in two stages.

First what a tool is billed: its executor is the tool in the place where it stands, and each task
has an option of it, so that what one task has shown holds for another until it has bills of its
own. The sum over a plan is its estimate. Then how far whole plans came out otherwise: a plan is
an option, and how good it was found is its score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import sqrt
from statistics import fmean, pstdev
from typing import NamedTuple

from benchmarks.replay.execution_log import ExecutedPlan, QueryTask, ToolStep
from thrifty.budget import Spend, StepOption
from thrifty.budget.option import SPREAD_DEFAULT
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import RECORDS_PER_OPTION_MAX, BilledOption, BillHistory, hash_name
from thrifty.estimates.learned import LearnedEstimates, learn_from_history
from thrifty.steering.forecast import ExecutorModel, Forecaster

PLAN_STEP = "plan"
"""A case is one step, and every candidate an option of it."""


NO_CHECK = (1.0, 1.0)


class ObservedBill(NamedTuple):
    """One bill, and what it is a bill of."""

    option: StepOption
    executor_model: ExecutorModel
    nano_usd: int
    score: float | None = None


class BillModel:
    """What is known before a case is begun.

    Args:
        rows: what was executed before; the caller leaves out what must not be known.
    """

    def __init__(self, rows: Sequence[ExecutedPlan]) -> None:
        self._rows = rows
        self._catalog = _mean_tool_bills(rows)
        self._works: dict[tuple[QueryTask, str, str], StepOption] = {}
        self._tools: dict[tuple[QueryTask, str, str], StepOption] = {}
        self._options: dict[tuple[QueryTask, tuple[str, ...]], StepOption] = {}
        self._plans: dict[tuple[QueryTask, tuple[str, ...]], StepOption] = {}
        self._values = {task: fmean(scores) for task, scores in _scores_by_task(rows).items()}
        tools = self._learn_tools()
        self.tool_surprises = tools.residuals
        self._seen_tools = Forecaster(tools.summaries)
        self._seen_plans = Forecaster(self.plan_estimates.summaries)

    @cached_property
    def plan_estimates(self) -> LearnedEstimates:
        """What bills and scores of whole plans say."""
        usual = _mean_scores(self._rows)
        return _learn(
            ObservedBill(
                self._declared_plan(row),
                _plan_executor(row.task),
                row.bill_nano_usd,
                # An easy input is no merit of the plan: what counts is the distance to the others.
                row.score - usual[row.task, row.sample] + self._values[row.task],
            )
            for row in self._rows
        )

    def plan_option(self, executed: ExecutedPlan) -> StepOption:
        """A candidate, as it is estimated and valued from the past."""
        key = executed.task, executed.plan
        if key not in self._plans:
            declared, doer = self._declared_plan(executed), _plan_executor(executed.task)
            odds = self.plan_estimates.odds
            value = odds.chance(doer, declared.name, declared.value, "", NO_CHECK)
            rated = replace(declared, value=value)
            self._plans[key] = self._seen_plans.forecast_option(rated, doer)
        return self._plans[key]

    def remaining_option(self, executed: ExecutedPlan, works: Iterable[ToolStep]) -> StepOption:
        """What is left of a candidate: expected to stray as the whole of it does."""
        catalog, now = self._declared_plan(executed), self.plan_option(executed)
        left = sum(self.tool_option(executed.task, work).estimate.cost_nano_usd for work in works)
        nano = left * now.estimate.cost_nano_usd // max(1, catalog.estimate.cost_nano_usd)
        return now.with_estimate(Spend(cost_nano_usd=nano), now.spread)

    def tool_option(self, task: QueryTask, work: ToolStep) -> StepOption:
        """One tool where it stands, as it is estimated from the past of every task."""
        key = task, work.tool, work.after
        if key not in self._works:
            self._works[key] = self._seen_tools.forecast_option(
                self._declared_tool(task, work), _tool_executor(task, work)
            )
        return self._works[key]

    def _declared_plan(self, executed: ExecutedPlan) -> StepOption:
        key = executed.task, executed.plan
        if key not in self._options:
            works = [self.tool_option(executed.task, work) for work in executed.tools]
            nano = sum(work.estimate.cost_nano_usd for work in works)
            deviation = sqrt(sum((w.spread * w.estimate.cost_nano_usd) ** 2 for w in works))
            value = self._values.get(executed.task, 1.0)
            self._options[key] = _make_option(
                hash_name(repr(key)), PLAN_STEP, nano, deviation / nano, value
            )
        return self._options[key]

    def _declared_tool(self, task: QueryTask, work: ToolStep) -> StepOption:
        key = task, work.tool, work.after
        if key not in self._tools:
            nano, spread = self._catalog[work.tool]
            self._tools[key] = _make_option(hash_name(repr(key)), work.tool, nano, spread)
        return self._tools[key]

    def _learn_tools(self) -> LearnedEstimates:
        return _learn(
            ObservedBill(self._declared_tool(row.task, work), _tool_executor(row.task, work), nano)
            for row in self._rows
            for work, nano in zip(row.tools, row.bills_nano_usd, strict=True)
        )


def _mean_tool_bills(rows: Iterable[ExecutedPlan]) -> Mapping[str, tuple[int, float]]:
    """Of each tool the mean of its bills, and their deviation as a share of that."""
    bills: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        for work, nano in zip(row.tools, row.bills_nano_usd, strict=True):
            bills[work.tool].append(nano)
    return {
        tool: (round(fmean(nanos)), pstdev(nanos) / fmean(nanos) or SPREAD_DEFAULT)
        for tool, nanos in bills.items()
    }


def _scores_by_task(rows: Iterable[ExecutedPlan]) -> Mapping[QueryTask, list[float]]:
    scores: defaultdict[QueryTask, list[float]] = defaultdict(list)
    for row in rows:
        scores[row.task].append(row.score)
    return scores


def _mean_scores(rows: Iterable[ExecutedPlan]) -> Mapping[tuple[QueryTask, int], float]:
    """By task and input, the mean over the plans that were executed on it."""
    scores: defaultdict[tuple[QueryTask, int], list[float]] = defaultdict(list)
    for row in rows:
        scores[row.task, row.sample].append(row.score)
    return {key: fmean(found) for key, found in scores.items()}


def _learn(bills: Iterable[ObservedBill]) -> LearnedEstimates:
    options: dict[str, StepOption] = {}
    doers: dict[str, ExecutorModel] = {}
    records: defaultdict[BilledOption, list[BillRecord]] = defaultdict(list)
    for number, (option, doer, nano, score) in enumerate(bills):
        options[option.name], doers[option.name] = option, doer
        actual = Spend(cost_nano_usd=nano)
        rating = None if score is None else min(1.0, max(0.0, score))
        record = BillRecord(
            f"run {number}",
            *(option.estimate, option.spread, option.estimate, actual),
            kind=option.name,
            rating=rating,
        )
        records[BilledOption(option.name, doer)].append(record)
    history = {work: tuple(records[work][-RECORDS_PER_OPTION_MAX:]) for work in sorted(records)}
    return learn_from_history(
        BillHistory(history), options.values(), lambda option: doers[option.name]
    )


def _tool_executor(task: QueryTask, work: ToolStep) -> ExecutorModel:
    return ExecutorModel(work.tool, f"{task.pool} after {work.after}")


def _plan_executor(task: QueryTask) -> ExecutorModel:
    return ExecutorModel(PLAN_STEP, task.pool)


def _make_option(
    name: str, executor: str, nano: int, spread: float, value: float = 1.0
) -> StepOption:
    return StepOption(
        name, PLAN_STEP, executor, "as logged", Spend(cost_nano_usd=nano), value, spread
    )
