"""Carrying out a plan with an eye on its bill: tool by tool, with what is left of the budget.

Before each tool the course is set anew, where work that is done already is not bought again. What
is likeliest to be finished with what is left comes first; another candidate must promise 2% more
(score times chance) to be preferred. A run that is cut falls back on a candidate that was finished
on the way, if there is one; half a plan is worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, log, log1p, sqrt
from statistics import NormalDist

from benchmarks.replay.cases import Case
from benchmarks.replay.known import Known
from benchmarks.replay.log import Executed, Work
from benchmarks.replay.result import Result
from thrifty.budget import StepOption
from thrifty.planning.course import GAIN_MIN
from thrifty.planning.risk import MILLI, margin, shifted, variance, within

NORMAL = NormalDist()


@dataclass
class Run:
    """One case under way."""

    case: Case
    known: Known
    left_nano_usd: int
    done: set[str] = field(default_factory=set)
    """Lineages of the tools that were carried out."""

    def todo(self, executed: Executed) -> list[tuple[Work, int]]:
        """Which tools of a candidate are still to be done, and what they will be billed.

        The bills are the world's: no policy may look at them.
        """
        pairs = zip(executed.works, executed.bills_nano_usd, strict=True)
        return [(work, nano) for work, nano in pairs if work.lineage not in self.done]

    @property
    def fallback_score(self) -> float:
        """Of the best candidate, by what is known, that was finished on the way to another."""
        finished = [row for row in self.case.candidates if not self.todo(row)]
        if not finished:
            return 0.0
        return max(finished, key=lambda row: self.known.plan(row).value).score


Choice = Callable[[Run], Executed | None]
"""Which candidate to go on with; None to end with nothing."""


def likeliest(run: Run, among: Sequence[Executed] = ()) -> Executed:
    """The candidate that will most probably be finished, unless another promises more."""
    outlooks = [(*_outlook(run, row), row) for row in among or run.case.candidates]
    safest = max(outlooks, key=lambda o: (o[0], -o[1].estimate.cost_nano_usd))
    best = max(outlooks, key=lambda o: o[0] * o[1].value)
    is_worth_it = best[0] * best[1].value > safest[0] * safest[1].value * (1 + GAIN_MIN)
    return (best if is_worth_it else safest)[2]


def begun_if_sure(risk: float) -> Choice:
    """The likeliest candidate whose next tool outgrows what is left with that chance at most."""

    def choose(run: Run) -> Executed | None:
        sure = [row for row in run.case.candidates if _is_sure(run, row, risk)]
        return likeliest(run, sure) if sure else None

    return choose


def only(plan: Executed | None) -> Choice:
    """That one, or nothing, whatever its bills show."""
    return lambda _: plan


def held(
    choose: Choice, known: Known, case: Case, budget_nano_usd: int, *, cuts: bool = True
) -> Result:
    """Goes on tool by tool until a candidate is finished.

    Args:
        choose: what to go on with, asked before each tool.
        known: the past.
        case: what is asked.
        budget_nano_usd: what there is.
        cuts: whether a tool is ended when what is left is used up, as a deadline does with what
            is billed by time; otherwise it is paid in full.
    """
    run = Run(case, known, budget_nano_usd)
    while chosen := choose(run):
        todo = run.todo(chosen)
        if not todo:
            return Result(chosen.score, budget_nano_usd - run.left_nano_usd)
        work, nano = todo[0]
        if nano > run.left_nano_usd:
            if not cuts:
                return Result(
                    spent_nano_usd=budget_nano_usd + nano - run.left_nano_usd, is_over=True
                )
            return Result(run.fallback_score, budget_nano_usd, is_cut=True)
        run.left_nano_usd -= nano
        run.done.add(work.lineage)
    return Result(run.fallback_score, budget_nano_usd - run.left_nano_usd)


def chance(option: StepOption, left_nano_usd: int) -> float:
    """How probably an option is billed no more than is left; log-normal, as it is forecast."""
    estimate = option.estimate.cost_nano_usd
    if not estimate:
        return 1.0
    sigma = sqrt(log1p(option.spread**2))
    room = log(left_nano_usd / estimate) if left_nano_usd > 0 else -inf
    return NORMAL.cdf((room + sigma * sigma / 2) / sigma)


def _is_sure(run: Run, executed: Executed, risk: float) -> bool:
    """Whether the next tool keeps the margin that a plan of thrifty's would keep for it."""
    todo = run.todo(executed)
    if not todo:
        return True
    option = run.known.work(executed.task, todo[0][0])
    kept = margin(risk, run.known.tool_surprises)
    spread_milli = round(MILLI * option.spread)
    estimate = option.estimate.cost_nano_usd
    room = run.left_nano_usd - shifted(estimate, spread_milli, kept)
    return within(room, variance(estimate, spread_milli, kept))


def _outlook(run: Run, executed: Executed) -> tuple[float, StepOption]:
    rest = run.known.rest(executed, (work for work, _ in run.todo(executed)))
    return chance(rest, run.left_nano_usd), rest
