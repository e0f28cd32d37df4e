"""The figures of runs as Markdown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from benchmarks.tasks.markdown import table
from benchmarks.tasks.one_run import RunFigures

HEADINGS = (
    *("runs", "asked", "in vain", "direct", "agent with tools", "material and answer"),
    *("sections", "value", "two ways", "over", "spent, mean and most", "books right", "cut short"),
)
PLANS = HEADINGS[3:7]


def results_table(caption: str, rows: Mapping[str, Sequence[RunFigures]]) -> str:
    """A row for each group of runs."""
    return table([caption, *HEADINGS], ([name, *_cells(runs)] for name, runs in rows.items()))


def gains_table(runs: Iterable[RunFigures]) -> str:
    """Each run that was given steps which bring more: what its plan and a direct answer are
    worth in the same problem."""
    heads = ["task", "budget", "plan", "with steps", "direct", "gain"]
    rows = []
    for run in runs:
        if run.gain:
            more, direct = run.gain
            worth = (f"{more:.1f}", f"{direct:.1f}", f"{more - direct:+.1f}")
            rows.append([run.task_id, run.budget, run.plan, *worth])
    return table(heads, rows, texts=3)


def other_plans(rows: Mapping[str, Sequence[RunFigures]]) -> str:
    """How many plans of each row are not those of the first one."""
    (right, *_) = rows.values()
    told = []
    for name, runs in rows.items():
        pairs = list(zip(runs, right, strict=True))
        other = sum(set(run.chosen) != set(was.chosen) for run, was in pairs)
        told.append([name, str(other), str(sum(r.plan != w.plan for r, w in pairs))])
    return table(["priors", "other plans", "of them other in sort"], told)


def faults(runs: Iterable[RunFigures]) -> list[str]:
    """What may not be: a line each."""
    return [
        f"{run.task_id}, {run.budget}: {fault}"
        for run in runs
        for fault, is_so in (
            (f"spent {run.spent_share:.3f} of its limit", run.spent_share > 1),
            ("the books are not the bill", not run.books_right),
            (f"the plan is worth {run.value:.1f}", run.value > 100),
            ("steps are worth less than a direct answer", run.gain and run.gain[0] < run.gain[1]),
            ("there is no plan", not run.chosen),
        )
        if is_so
    ]


def _cells(runs: Sequence[RunFigures]) -> list[str]:
    plans = Counter(run.plan for run in runs)
    asked = sum(run.asked for run in runs)
    vain = sum(run.in_vain for run in runs)
    ways = [count for run in runs for count in run.ways]
    shares = [run.spent_share for run in runs]
    return [
        *(str(len(runs)), str(asked), f"{vain} ({vain / asked:.0%})" if asked else "0"),
        *(str(plans[plan]) for plan in PLANS),
        f"{fmean(run.value for run in runs):.1f}",
        f"{fmean(count >= 2 for count in ways):.0%} of {len(ways)}" if ways else "-",
        str(sum(share > 1 for share in shares)),
        f"{fmean(shares):.2f}, {max(shares):.2f}",
        f"{fmean(run.books_right for run in runs):.0%}",
        str(sum(run.status == "halted" for run in runs)),
    ]
