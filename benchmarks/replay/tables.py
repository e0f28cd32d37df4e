"""The tables of a replay, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import log
from statistics import fmean, pstdev

from benchmarks.replay.bootstrap import bootstrap_by_task
from benchmarks.replay.cases import QUANTILES, ReplayCase
from benchmarks.replay.policy_table import (
    CHEAPEST_POLICY,
    HELD_CHEAPEST_POLICY,
    THRIFTY_POLICY,
    BillsBefore,
)
from benchmarks.replay.replay_result import ReplayResult
from benchmarks.replay.whole_plan_policies import mean_bill

ReplayResults = Sequence[Mapping[str, Sequence[ReplayResult]]]
"""Of each case, the results of each policy at each quantile."""


def overview_table(
    cases: Sequence[ReplayCase], results: ReplayResults, budgets: Sequence[float] = QUANTILES
) -> str:
    """Of each policy the score and the share over budget, by quantile; and what all of it cost."""
    lines = [
        _table_row("policy", *budgets, "mean", "bill", "no result"),
        _header_rule(len(budgets) + 3),
    ]
    for name in results[0]:
        at = [[found[name][place] for found in results] for place in range(len(budgets))]
        every = [result for column in at for result in column]
        lines.append(
            _table_row(
                name,
                *map(_format_cell, at),
                _format_cell(every),
                _format_bill(cases, at),
                _share(every, _is_empty),
            )
        )
    return "\n".join(lines) + "\n"


def forecast_table(cases: Sequence[ReplayCase], past: BillsBefore) -> str:
    """How far bills are forecast wrong, and how often two plans on an input are put in order."""
    learned = [
        [past(c).plan_option(row).estimate.cost_nano_usd for row in c.candidates] for c in cases
    ]
    means = [[mean_bill(earlier) for earlier in case.earlier] for case in cases]
    lines = [
        _table_row("forecast", "deviation of the logarithm", "pairs in order"),
        _header_rule(2),
    ]
    for name, found in (("mean of the plan's bills", means), ("learned", learned)):
        missed = [
            log(row.bill_nano_usd / nano)
            for case, nanos in zip(cases, found, strict=True)
            for row, nano in zip(case.candidates, nanos, strict=True)
        ]
        lines.append(
            _table_row(name, f"{pstdev(missed):.3f}", f"{_ordered_share(cases, found):.1%}")
        )
    return "\n".join(lines) + "\n"


def _ordered_share(cases: Sequence[ReplayCase], found: Sequence[Sequence[float]]) -> float:
    return fmean(
        (one < other) == (first.bill_nano_usd < second.bill_nano_usd)
        for case, nanos in zip(cases, found, strict=True)
        for (first, one), (second, other) in combinations(
            zip(case.candidates, nanos, strict=True), 2
        )
    )


def comparison_table(
    title: str,
    cases: Sequence[ReplayCase],
    results: ReplayResults,
    budgets: Sequence[float] = QUANTILES,
) -> str:
    """By budget, the lead of thrifty and of the oracle over the cheapest, held, with intervals."""
    tasks = [case.task for case in cases]

    def ahead(name: str, places: Sequence[int]) -> str:
        values = [
            fmean(found[name][p].score - found[HELD_CHEAPEST_POLICY][p].score for p in places)
            for found in results
        ]
        mean, low, high = bootstrap_by_task(tasks, values)
        return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"

    def over(name: str, places: Sequence[int]) -> str:
        values = [fmean(found[name][p].is_over for p in places) for found in results]
        mean, low, high = bootstrap_by_task(tasks, values)
        return f"{mean:.1%} [{low:.1%}, {high:.1%}]"

    columns: list[Callable[[Sequence[int]], str]] = [
        lambda places: ahead(THRIFTY_POLICY, places),
        lambda places: ahead("oracle", places),
        lambda places: over(THRIFTY_POLICY, places),
        lambda places: over(CHEAPEST_POLICY, places),
    ]
    lines = [
        _table_row("budget", "thrifty ahead", "oracle ahead", "thrifty over", "cheapest over"),
        _header_rule(len(columns)),
    ]
    every = range(len(budgets))
    for label, places in [*((f"{q:g}", [p]) for p, q in enumerate(budgets)), ("all", every)]:
        lines.append(_table_row(label, *(column(places) for column in columns)))
    count = f"{title}: {len(cases)} cases of {len(set(tasks))} tasks"
    return "\n".join([count, "", *lines]) + "\n"


def _format_cell(results: Sequence[ReplayResult]) -> str:
    return f"{fmean(r.score for r in results):.3f} / {_share(results, lambda r: r.is_over)}"


def _format_bill(cases: Sequence[ReplayCase], at: Sequence[Sequence[ReplayResult]]) -> str:
    """The mean bill, as a share of the budget."""
    shares = (
        result.spent_nano_usd / case.budgets_nano_usd[place]
        for place, column in enumerate(at)
        for case, result in zip(cases, column, strict=True)
    )
    return f"{fmean(shares):.2f}"


def _is_empty(result: ReplayResult) -> bool:
    return not result.score


def _share(results: Sequence[ReplayResult], is_so: Callable[[ReplayResult], bool]) -> str:
    return f"{fmean(map(is_so, results)):.1%}"


def _table_row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _header_rule(count: int) -> str:
    return "|---|" + "---:|" * count
