"""The spend check's judgement: after each wave of steps, what now? Pure, so that it can be argued.

Drift has two sides. Spending more than planned may mean that the rest no longer fits; spending
less may mean that something better does. A failed step is news as well. Without news there is
no new plan, and none that is hardly better, so that planning cannot go round in circles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from thrifty.budget import Budget, Outcome, Plan
from thrifty.planning.reasons import shortfall
from thrifty.planning.rest import Ahead

NOTHING_FITS = "nothing that is still to be done fits in what is left"
GAIN_MIN = 0.02
"""The least gain that is worth a new plan, as a share of what the rest of the old one is worth."""

OnDrift = Literal["replan", "halt", "ask"]
Action = Literal["continue", "replan", "ask", "end"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands after a wave of steps."""

    plan: Plan
    """The plan the run is on."""
    news: tuple[Outcome, ...]
    """What became of the last wave."""
    ahead: Ahead
    """What is left to do, as it is estimated now,"""
    left: Budget
    """and what is left to spend."""
    best: Callable[[], Plan]
    """Makes the plan that a new one would be; asked only where that could matter."""
    replans_left: int
    """How many plans may still be made for what bills came to; a failure needs none of them."""
    overrun: str = ""
    """What went over, in plain words; empty as long as nothing did."""
    lost: str = ""
    """Why there is no plan any more, whatever is left; empty as long as there may be."""


@dataclass(frozen=True, slots=True)
class Course:
    """What happens next, and why."""

    action: Action
    reason: str = ""
    """A sentence for the receipt; empty when the run just goes on."""
    halts: bool = False
    """Whether the run ends before its plan is complete."""


def set_course(
    standing: Standing, on_drift: OnDrift, drift: Callable[[], str] = lambda: ""
) -> Course:
    """Continues, re-plans, asks or ends.

    Args:
        standing: the facts.
        on_drift: what to do when the rest of the plan no longer fits. Savings and failures
            lead to a new plan under every policy but `halt`, which ignores savings.
        drift: tells whose bills came out otherwise than estimated, in plain words.
    """
    if standing.overrun:
        return Course("end", f"overrun: {standing.overrun}", True)
    if standing.lost:
        return Course("end", standing.lost, True)
    ahead = standing.ahead
    missing = standing.left.exceeded_by(ahead.expected)
    if missing and on_drift != "replan":
        reason = _because(f"the rest of the plan is {shortfall(missing)}", drift)
        return Course("ask", reason) if on_drift == "ask" else Course("end", reason, True)
    # What has failed is not tried again, so that plans around failures end by themselves.
    news = _news(standing, missing, on_drift) if standing.replans_left > 0 else _failure(standing)
    if news:
        return Course("replan", _because(news, drift))
    if ahead.to_do:
        return Course("continue")
    if ahead.done and (standing.plan.chosen or not ahead.open_steps):
        return Course("end")
    return Course("end", standing.plan.note or _failed(standing) or NOTHING_FITS, True)


def _because(reason: str, drift: Callable[[], str]) -> str:
    told = drift()
    return f"{reason}; {told}" if told else reason


def _news(standing: Standing, missing: dict[str, int], on_drift: OnDrift) -> str:
    """What calls for a new plan; empty when nothing does."""
    if not standing.news:
        return ""
    if missing:
        return f"the rest of the plan is {shortfall(missing)}"
    if failure := _failure(standing):
        return failure
    worth = standing.ahead.worth
    least = max(0.0, GAIN_MIN * worth)
    if on_drift == "halt" or standing.ahead.worth_at_most - worth <= least:
        return ""
    gain = standing.best().value - worth
    return f"what was saved buys a better rest, worth {gain:+.1f}" if gain > least else ""


def _failure(standing: Standing) -> str:
    """What did not work out, where something else can be planned."""
    failed = _failed(standing)
    return failed if failed and standing.best().chosen else ""


def _failed(standing: Standing) -> str:
    """What did not work out of the last wave, and why; empty when all did."""
    failed = (outcome for outcome in standing.news if outcome.status in ("failed", "skipped"))
    return next((f"{each.option.name!r} did not work out: {each.reason}" for each in failed), "")
