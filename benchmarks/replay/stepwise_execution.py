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

from benchmarks.replay.bill_model import BillModel
from benchmarks.replay.cases import ReplayCase
from benchmarks.replay.execution_log import ExecutedPlan, ToolStep
from benchmarks.replay.replay_result import ReplayResult
from thrifty.budget import StepOption
from thrifty.planning.risk import (
    MILLI,
    fits_margin,
    margin_for_risk,
    shift_estimate,
)
from thrifty.steering.decide import GAIN_MIN

NORMAL = NormalDist()


@dataclass
class PlanRun:
    """One case under way."""

    case: ReplayCase
    bills: BillModel
    left_nano_usd: int
    done: set[str] = field(default_factory=set)
    """Lineages of the tools that were carried out."""

    def remaining_tools(self, executed: ExecutedPlan) -> list[tuple[ToolStep, int]]:
        """Which tools of a candidate are still to be done, and what they will be billed.

        The bills are the world's: no policy may look at them.
        """
        pairs = zip(executed.tools, executed.bills_nano_usd, strict=True)
        return [(work, nano) for work, nano in pairs if work.lineage not in self.done]

    @property
    def fallback_score(self) -> float:
        """Of the best candidate, by what is known, that was finished on the way to another."""
        finished = [row for row in self.case.candidates if not self.remaining_tools(row)]
        if not finished:
            return 0.0
        return max(finished, key=lambda row: self.bills.plan_option(row).value).score


ChoosePlan = Callable[[PlanRun], ExecutedPlan | None]
"""Which candidate to go on with; None to end with nothing."""


def choose_likeliest(run: PlanRun, candidates: Sequence[ExecutedPlan] = ()) -> ExecutedPlan:
    """The candidate that will most probably be finished, unless another promises more."""
    outlooks = [(*_finish_probability(run, row), row) for row in candidates or run.case.candidates]
    safest = max(outlooks, key=lambda o: (o[0], -o[1].estimate.cost_nano_usd))
    best = max(outlooks, key=lambda o: o[0] * o[1].value)
    is_worth_it = best[0] * best[1].value > safest[0] * safest[1].value * (1 + GAIN_MIN)
    return (best if is_worth_it else safest)[2]


def choose_if_sure(risk: float) -> ChoosePlan:
    """The likeliest candidate whose next tool outgrows what is left with that chance at most."""

    def choose(run: PlanRun) -> ExecutedPlan | None:
        sure = [row for row in run.case.candidates if _is_sure(run, row, risk)]
        return choose_likeliest(run, sure) if sure else None

    return choose


def choose_always(plan: ExecutedPlan | None) -> ChoosePlan:
    """That one, or nothing, whatever its bills show."""
    return lambda _: plan


def execute_stepwise(
    choose: ChoosePlan,
    bills: BillModel,
    case: ReplayCase,
    budget_nano_usd: int,
    *,
    cuts: bool = True,
) -> ReplayResult:
    """Goes on tool by tool until a candidate is finished.

    Args:
        choose: what to go on with, asked before each tool.
        bills: the past.
        case: what is asked.
        budget_nano_usd: what there is.
        cuts: whether a tool is ended when what is left is used up, as a deadline does with what
            is billed by time; otherwise it is paid in full.
    """
    run = PlanRun(case, bills, budget_nano_usd)
    while chosen := choose(run):
        todo = run.remaining_tools(chosen)
        if not todo:
            return ReplayResult(chosen.score, budget_nano_usd - run.left_nano_usd)
        work, nano = todo[0]
        if nano > run.left_nano_usd:
            if not cuts:
                return ReplayResult(
                    spent_nano_usd=budget_nano_usd + nano - run.left_nano_usd, is_over=True
                )
            return ReplayResult(run.fallback_score, budget_nano_usd, is_cut=True)
        run.left_nano_usd -= nano
        run.done.add(work.lineage)
    return ReplayResult(run.fallback_score, budget_nano_usd - run.left_nano_usd)


def fit_probability(option: StepOption, left_nano_usd: int) -> float:
    """How probably an option is billed no more than is left; log-normal, as it is forecast."""
    estimate = option.estimate.cost_nano_usd
    if not estimate:
        return 1.0
    sigma = sqrt(log1p(option.spread**2))
    room = log(left_nano_usd / estimate) if left_nano_usd > 0 else -inf
    return NORMAL.cdf((room + sigma * sigma / 2) / sigma)


def _is_sure(run: PlanRun, executed: ExecutedPlan, risk: float) -> bool:
    """Whether the next tool keeps the margin that a plan of thrifty's would keep for it."""
    todo = run.remaining_tools(executed)
    if not todo:
        return True
    option = run.bills.tool_option(executed.task, todo[0][0])
    kept = margin_for_risk(risk, run.bills.tool_surprises)
    spread_milli = round(MILLI * option.spread)
    estimate = option.estimate.cost_nano_usd
    room = run.left_nano_usd - shift_estimate(estimate, spread_milli, kept)
    return fits_margin(room, (estimate * spread_milli * kept.z_milli) ** 2)


def _finish_probability(run: PlanRun, executed: ExecutedPlan) -> tuple[float, StepOption]:
    rest = run.bills.remaining_option(executed, (work for work, _ in run.remaining_tools(executed)))
    return fit_probability(rest, run.left_nano_usd), rest
