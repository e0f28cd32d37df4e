"""The spend check's judgement: after each wave of steps, what now? Pure, so that it can be argued.

Drift has two sides. Spending more than planned may mean that the rest no longer fits; spending
less may mean that something better does. A failed step is news as well. Without news there is
no new plan, so that planning cannot go round in circles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from thrifty.budget import Outcome, Plan, StepOption, total
from thrifty.planning.problem import Problem, value_of
from thrifty.planning.reasons import shortfall

NOTHING_FITS = "nothing that is still to be done fits in what is left"
GAIN_MIN = 0.05
"""The least gain in value that is worth a new plan."""

OnDrift = Literal["replan", "halt", "ask"]
Direction = Literal["route", "plan", "approve", "finish"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands after a wave of steps."""

    plan: Plan
    """The plan the run is on."""
    outcomes: tuple[Outcome, ...]
    """Everything tried so far, in the order in which it ended."""
    news: tuple[Outcome, ...]
    """The outcomes of the last wave."""
    problem: Problem
    """What a new plan would start from: what is left to do, and what is left to spend."""
    best: Plan
    """The plan that it would come to."""
    replans_left: int
    overrun: str = ""
    """What went over, in plain words; empty as long as nothing did."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where to go next, and why."""

    direction: Direction
    reason: str = ""
    """A sentence for the receipt; empty when the run just goes on."""
    halts: bool = False
    """Whether the run ends before its plan is complete."""


def remaining(plan: Plan, outcomes: Sequence[Outcome]) -> tuple[StepOption, ...]:
    """The options of the plan that were not tried and whose steps are not finished."""
    tried = {outcome.option.name for outcome in outcomes}
    finished = {outcome.step for outcome in outcomes if outcome.has_text}
    return tuple(o for o in plan.chosen if o.name not in tried and o.step not in finished)


def set_course(standing: Standing, on_drift: OnDrift) -> Course:
    """Continues, re-plans, asks or ends.

    Args:
        standing: the facts.
        on_drift: what to do when the rest of the plan no longer fits. Savings and failures
            lead to a new plan under every policy but `halt`, which ignores savings.
    """
    if standing.overrun:
        return Course("finish", f"overrun: {standing.overrun}", True)
    rest = remaining(standing.plan, standing.outcomes)
    missing = standing.problem.left.exceeded_by(total(option.estimate for option in rest))
    if missing and on_drift != "replan":
        reason = f"the rest of the plan is {shortfall(missing)}"
        return Course("approve", reason) if on_drift == "ask" else Course("finish", reason, True)
    if standing.replans_left > 0 and (news := _news(standing, rest, missing, on_drift)):
        return Course("plan", news)
    if rest:
        return Course("route")
    if standing.plan.chosen and any(outcome.has_text for outcome in standing.outcomes):
        return Course("finish")
    return Course("finish", standing.plan.note or NOTHING_FITS, True)


def _news(
    standing: Standing, rest: Sequence[StepOption], missing: dict[str, int], on_drift: OnDrift
) -> str:
    """What calls for a new plan; empty when nothing does."""
    if missing:
        return f"the rest of the plan is {shortfall(missing)}"
    for outcome in standing.news:
        if not outcome.has_text and standing.best.chosen:
            return f"{outcome.option.name!r} did not work out: {outcome.reason}"
    gain = standing.best.value - value_of(standing.problem, rest)
    if on_drift != "halt" and gain > GAIN_MIN:
        return f"what was saved buys a better rest, worth {gain:+.1f}"
    return ""
