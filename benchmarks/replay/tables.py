"""The tables of a replay, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import log
from statistics import fmean, pstdev

from benchmarks.replay.cases import QUANTILES, Case
from benchmarks.replay.figures import by_tasks
from benchmarks.replay.plain import mean_bill
from benchmarks.replay.policies import CHEAPEST, THRIFTY, Past
from benchmarks.replay.result import Result

Results = Sequence[Mapping[str, Sequence[Result]]]
"""Of each case, the results of each policy at each quantile."""


def overview(cases: Sequence[Case], results: Results) -> str:
    """Of each policy the score and the share over budget, by quantile; and what all of it cost."""
    lines = [_row("policy", *QUANTILES, "bill", "no result"), _rule(len(QUANTILES) + 2)]
    for name in results[0]:
        at = [[found[name][place] for found in results] for place in range(len(QUANTILES))]
        every = [result for column in at for result in column]
        lines.append(_row(name, *map(_cell, at), _bill(cases, at), _share(every, _has_none)))
    return "\n".join(lines) + "\n"


def forecasts(cases: Sequence[Case], past: Past) -> str:
    """How far bills are forecast wrong, and how often two plans on an input are put in order."""
    learned = [[past(c).plan(row).estimate.cost_nano_usd for row in c.candidates] for c in cases]
    means = [[mean_bill(earlier) for earlier in case.earlier] for case in cases]
    lines = [_row("forecast", "deviation of the logarithm", "pairs in order"), _rule(2)]
    for name, found in (("mean of the plan's bills", means), ("learned", learned)):
        missed = [
            log(row.bill_nano_usd / nano)
            for case, nanos in zip(cases, found, strict=True)
            for row, nano in zip(case.candidates, nanos, strict=True)
        ]
        lines.append(_row(name, f"{pstdev(missed):.3f}", f"{_in_order(cases, found):.1%}"))
    return "\n".join(lines) + "\n"


def _in_order(cases: Sequence[Case], found: Sequence[Sequence[float]]) -> float:
    return fmean(
        (one < other) == (first.bill_nano_usd < second.bill_nano_usd)
        for case, nanos in zip(cases, found, strict=True)
        for (first, one), (second, other) in combinations(
            zip(case.candidates, nanos, strict=True), 2
        )
    )


def against(title: str, cases: Sequence[Case], results: Results) -> str:
    """By quantile, what `THRIFTY` and the oracle are ahead of `CHEAPEST`, with intervals."""
    tasks = [case.task for case in cases]

    def ahead(name: str, places: Sequence[int]) -> str:
        values = [
            fmean(found[name][p].score - found[CHEAPEST][p].score for p in places)
            for found in results
        ]
        mean, low, high = by_tasks(tasks, values)
        return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"

    def over(name: str, places: Sequence[int]) -> str:
        values = [fmean(found[name][p].is_over for p in places) for found in results]
        mean, low, high = by_tasks(tasks, values)
        return f"{mean:.1%} [{low:.1%}, {high:.1%}]"

    columns: list[Callable[[Sequence[int]], str]] = [
        lambda places: ahead(THRIFTY, places),
        lambda places: ahead("oracle", places),
        lambda places: over(THRIFTY, places),
        lambda places: over(CHEAPEST, places),
    ]
    lines = [
        _row("quantile", "likeliest ahead", "oracle ahead", "likeliest over", "cheapest over"),
        _rule(len(columns)),
    ]
    every = range(len(QUANTILES))
    for label, places in [*((f"{q:g}", [p]) for p, q in enumerate(QUANTILES)), ("all", every)]:
        lines.append(_row(label, *(column(places) for column in columns)))
    count = f"{title}: {len(cases)} cases of {len(set(tasks))} tasks"
    return "\n".join([count, "", *lines]) + "\n"


def _cell(results: Sequence[Result]) -> str:
    return f"{fmean(r.score for r in results):.3f} / {_share(results, lambda r: r.is_over)}"


def _bill(cases: Sequence[Case], at: Sequence[Sequence[Result]]) -> str:
    """The mean bill, as a share of the budget."""
    shares = (
        result.spent_nano_usd / case.budgets_nano_usd[place]
        for place, column in enumerate(at)
        for case, result in zip(cases, column, strict=True)
    )
    return f"{fmean(shares):.2f}"


def _has_none(result: Result) -> bool:
    return not result.score


def _share(results: Sequence[Result], is_so: Callable[[Result], bool]) -> str:
    return f"{fmean(map(is_so, results)):.1%}"


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _rule(count: int) -> str:
    return "|---|" + "---:|" * count
