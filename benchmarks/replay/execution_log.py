"""The log: which plans were executed on which sample, what each tool was billed, how good it came.

A plan's tools run in the order of the log, one after another: the bill of a plan is the sum of
its tools'. What a tool was applied to is part of its identity, so that two plans which begin
alike share that work.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from thrifty.budget.dollars import NANO_PER_USD

FILE = "plans.jsonl"
INPUT = "input_of_query"


class QueryTask(NamedTuple):
    """A kind of query, and the pool of plans that it was taken from."""

    pool: str
    number: int


class ToolStep(NamedTuple):
    """A tool, and everything that was done to its input before, as text."""

    tool: str
    after: str
    """The tools upstream of it, sorted: what its bill may depend on."""
    lineage: str
    """Those tools and which of them fed which: equal lineages mean equal results."""


@dataclass(frozen=True)
class ExecutedPlan:
    """One plan on one sample."""

    task: QueryTask
    sample: int
    """The input; the same number is the same input in every task."""
    tools: tuple[ToolStep, ...]
    bills_nano_usd: tuple[int, ...]
    """What each tool was billed."""
    score: float
    """How good the result was found, from 0 to 1."""

    @property
    def plan(self) -> tuple[str, ...]:
        """What makes it the same plan on another sample; ids in the log name others."""
        return tuple(work.lineage for work in self.tools)

    @property
    def bill_nano_usd(self) -> int:
        return sum(self.bills_nano_usd)


def read_log(folder: Path) -> list[ExecutedPlan]:
    """Every plan of a log.

    Raises:
        OSError: the log cannot be read.
    """
    lines = (folder / FILE).read_text().splitlines()
    return [_read_plan(json.loads(line)) for line in lines if line]


def group_by_task(rows: Iterable[ExecutedPlan]) -> dict[QueryTask, list[ExecutedPlan]]:
    """Rows by the task that they were executed for."""
    found: defaultdict[QueryTask, list[ExecutedPlan]] = defaultdict(list)
    for row in rows:
        found[row.task].append(row)
    return dict(found)


def _read_plan(given: Mapping[str, Any]) -> ExecutedPlan:
    return ExecutedPlan(
        task=QueryTask(given["pool"], given["task"]),
        sample=given["sample"],
        tools=_read_tools(given["tools"], given["deps"]),
        bills_nano_usd=tuple(round(price * NANO_PER_USD) for price in given["price"]),
        score=given["score"],
    )


def _read_tools(tools: Sequence[str], deps: Sequence[Sequence[str]]) -> tuple[ToolStep, ...]:
    upstream: dict[str, set[str]] = {}
    lineage: dict[str, str] = {INPUT: ""}
    for tool, fed_by in zip(tools, deps, strict=True):
        upstream[tool] = {t for f in fed_by if f != INPUT for t in (f, *upstream[f])}
        lineage[tool] = f"{tool}({','.join(sorted(lineage[f] for f in fed_by))})"
    return tuple(ToolStep(tool, "+".join(sorted(upstream[tool])), lineage[tool]) for tool in tools)
