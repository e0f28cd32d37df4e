"""What a plan loses that was made by wrong priors: valued by the right ones.

Two plans of one task at one budget differ in what their maker believed. Both are valued in the same
problem, which has the steps of whichever run was taken apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean

from benchmarks.tasks.load import BenchmarkTask
from benchmarks.tasks.markdown import table
from benchmarks.tasks.one_run import RunFigures
from benchmarks.tasks.tools import make_tools
from benchmarks.tasks.whole_agent import option_values
from tests.harness.llm_server import LLMServer
from thrifty.options.direct_answer import ANSWER_STEP

NOISE = 1e-6
"""Below this, two values are one."""


@dataclass(frozen=True, slots=True)
class Regret:
    """One task at one budget."""

    value: float
    """What the plan made by wrong priors is worth less than the one made by the right ones. Below
    nought where it is worth more: plans weigh fees, too, which are no part of a value."""
    is_worse_than_direct: bool
    """Whether it has steps, and a direct answer is worth more."""


def regrets(
    tasks: Iterable[BenchmarkTask],
    right: Sequence[RunFigures],
    wrong: Sequence[RunFigures],
    server: LLMServer,
) -> list[Regret]:
    """What the plans of some runs lose against those of others, by the priors of now.

    Args:
        tasks: of the runs, by their ids.
        right: the runs that were planned by the priors of now.
        wrong: the same tasks and budgets, planned by others.
        server: whose models they had.
    """
    by_id = {task.id: task for task in tasks}
    found = []
    for best, run in zip(right, wrong, strict=True):
        apart = best if best.facts["decomposition"] else run
        worth = option_values(apart.facts, make_tools(by_id[run.task_id]), server)
        found.append(regret_of(best.chosen, run.chosen, worth))
    return found


def regret_of(
    right: Iterable[str], wrong: Iterable[str], worth: Mapping[str, Mapping[str, float]]
) -> Regret:
    """What a plan loses against the right one.

    Args:
        right: the options of the right plan.
        wrong: those of the other.
        worth: what each option of each step is worth.
    """
    values = {name: value for options in worth.values() for name, value in options.items()}
    had = fsum(values[name] for name in wrong)
    direct = worth[ANSWER_STEP]
    has_steps = not direct.keys() >= set(wrong)
    return Regret(
        value=fsum(values[name] for name in right) - had,
        is_worse_than_direct=has_steps and had < max(direct.values()) - NOISE,
    )


def regret_table(rows: Mapping[str, tuple[Sequence[Regret], Sequence[Regret]]]) -> str:
    """A row for each prior: planned by that and valued by ours, and the other way round."""
    heads = ["planned wrong: mean", "worst", "steps worse", "ours wrong: mean", "worst"]
    return table(
        ["priors", *heads, "steps worse"],
        ([name, *_cells(planned), *_cells(ours)] for name, (planned, ours) in rows.items()),
    )


def _cells(found: Sequence[Regret]) -> list[str]:
    values = [regret.value for regret in found]
    return [
        f"{round(fmean(values), 2) + 0.0:.2f}",  # not -0.00
        f"{max(values):.1f}",
        str(sum(regret.is_worse_than_direct for regret in found)),
    ]
