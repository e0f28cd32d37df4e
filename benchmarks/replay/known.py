"""What earlier bills and scores say of a plan, learned by thrifty's own code, in two stages.

First what a tool is billed: its executor is the tool in the place where it stands, and each task
has an option of it, so that what one task has shown holds for another until it has bills of its
own. The sum over a plan is its estimate. Then how far whole plans came out otherwise: a plan is
an option, and how good it was found is its score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import sqrt
from statistics import fmean, pstdev
from typing import NamedTuple

from benchmarks.replay.log import Executed, Task, Work
from thrifty.budget import Spend, StepOption
from thrifty.budget.option import SPREAD_DEFAULT
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import RECORDS_MAX, BilledOption, History, digest
from thrifty.estimates.learned import Learned, learn
from thrifty.planning.forecast import Doer, Seen

STEP = "plan"
"""A case is one step, and every candidate an option of it."""


class Paid(NamedTuple):
    """One bill, and what it is a bill of."""

    option: StepOption
    doer: Doer
    nano_usd: int
    score: float | None = None


class Known:
    """What is known before a case is begun.

    Args:
        rows: what was executed before; the caller leaves out what must not be known.
    """

    def __init__(self, rows: Sequence[Executed]) -> None:
        self._rows = rows
        self._catalog = _catalog(rows)
        self._works: dict[tuple[Task, str, str], StepOption] = {}
        self._tools: dict[tuple[Task, str, str], StepOption] = {}
        self._options: dict[tuple[Task, tuple[str, ...]], StepOption] = {}
        self._plans: dict[tuple[Task, tuple[str, ...]], StepOption] = {}
        self._values = {task: fmean(scores) for task, scores in _scores(rows).items()}
        tools = self._learned_tools()
        self.tool_surprises = tools.surprises
        self._seen_tools = Seen(tools.tallies)
        self._seen_plans = Seen(self.learned.tallies)

    @cached_property
    def learned(self) -> Learned:
        """What bills and scores of whole plans say."""
        usual = _usual_scores(self._rows)
        return _learned(
            Paid(
                self._option(row),
                _planner(row.task),
                row.bill_nano_usd,
                # An easy input is no merit of the plan: what counts is the distance to the others.
                max(0.0, row.score - usual[row.task, row.sample] + self._values[row.task]),
            )
            for row in self._rows
        )

    def plan(self, executed: Executed) -> StepOption:
        """A candidate, as it is estimated and valued from the past."""
        key = executed.task, executed.plan
        if key not in self._plans:
            option = self.learned.valued(self._option(executed))
            self._plans[key] = self._seen_plans.forecast(option, _planner(executed.task))
        return self._plans[key]

    def rest(self, executed: Executed, works: Iterable[Work]) -> StepOption:
        """What is left of a candidate: expected to stray as the whole of it does."""
        catalog, now = self._option(executed), self.plan(executed)
        left = sum(self.work(executed.task, work).estimate.cost_nano_usd for work in works)
        nano = left * now.estimate.cost_nano_usd // max(1, catalog.estimate.cost_nano_usd)
        return now.with_estimate(Spend(cost_nano_usd=nano), now.spread)

    def work(self, task: Task, work: Work) -> StepOption:
        """One tool where it stands, as it is estimated from the past of every task."""
        key = task, work.tool, work.after
        if key not in self._works:
            self._works[key] = self._seen_tools.forecast(self._tool(task, work), _doer(task, work))
        return self._works[key]

    def _option(self, executed: Executed) -> StepOption:
        key = executed.task, executed.plan
        if key not in self._options:
            works = [self.work(executed.task, work) for work in executed.works]
            nano = sum(work.estimate.cost_nano_usd for work in works)
            deviation = sqrt(sum((w.spread * w.estimate.cost_nano_usd) ** 2 for w in works))
            value = self._values.get(executed.task, 1.0)
            self._options[key] = _priced(digest(repr(key)), STEP, nano, deviation / nano, value)
        return self._options[key]

    def _tool(self, task: Task, work: Work) -> StepOption:
        key = task, work.tool, work.after
        if key not in self._tools:
            nano, spread = self._catalog[work.tool]
            self._tools[key] = _priced(digest(repr(key)), work.tool, nano, spread)
        return self._tools[key]

    def _learned_tools(self) -> Learned:
        return _learned(
            Paid(self._tool(row.task, work), _doer(row.task, work), nano)
            for row in self._rows
            for work, nano in zip(row.works, row.bills_nano_usd, strict=True)
        )


def _catalog(rows: Iterable[Executed]) -> Mapping[str, tuple[int, float]]:
    """Of each tool the mean of its bills, and their deviation as a share of that."""
    bills: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        for work, nano in zip(row.works, row.bills_nano_usd, strict=True):
            bills[work.tool].append(nano)
    return {
        tool: (round(fmean(nanos)), pstdev(nanos) / fmean(nanos) or SPREAD_DEFAULT)
        for tool, nanos in bills.items()
    }


def _scores(rows: Iterable[Executed]) -> Mapping[Task, list[float]]:
    scores: defaultdict[Task, list[float]] = defaultdict(list)
    for row in rows:
        scores[row.task].append(row.score)
    return scores


def _usual_scores(rows: Iterable[Executed]) -> Mapping[tuple[Task, int], float]:
    """By task and input, the mean over the plans that were executed on it."""
    scores: defaultdict[tuple[Task, int], list[float]] = defaultdict(list)
    for row in rows:
        scores[row.task, row.sample].append(row.score)
    return {key: fmean(found) for key, found in scores.items()}


def _learned(bills: Iterable[Paid]) -> Learned:
    options: dict[str, StepOption] = {}
    doers: dict[str, Doer] = {}
    records: defaultdict[BilledOption, list[BillRecord]] = defaultdict(list)
    for number, (option, doer, nano, score) in enumerate(bills):
        options[option.name], doers[option.name] = option, doer
        actual = Spend(cost_nano_usd=nano)
        record = BillRecord(f"run {number}", option.estimate, option.spread, actual, score)
        records[BilledOption(option.name, doer)].append(record)
    history = {work: tuple(records[work][-RECORDS_MAX:]) for work in sorted(records)}
    return learn(History(history), options.values(), lambda option: doers[option.name])


def _doer(task: Task, work: Work) -> Doer:
    return Doer(work.tool, f"{task.pool} after {work.after}")


def _planner(task: Task) -> Doer:
    return Doer(STEP, task.pool)


def _priced(name: str, executor: str, nano: int, spread: float, value: float = 1.0) -> StepOption:
    return StepOption(name, STEP, executor, "as logged", Spend(cost_nano_usd=nano), value, spread)
