"""What the spend check decides after each superstep: go on, plan anew, ask or finish. Pure.

Drift has two sides. Spending more than planned may mean that the rest no longer fits; spending
less may mean that something better does. A failed step counts as well, and so does a step that
loses who was to do it. Without a new outcome there is no new plan, and none that is hardly better,
so that a run cannot replan for ever.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from thrifty.budget import Budget, Outcome, Plan
from thrifty.budget.resources import format_amounts
from thrifty.steering.remaining import RemainingTotals

NOTHING_FITS_REASON = "nothing that is still to be done fits in what is left"
GAIN_MIN = 0.02
"""The least gain that is worth a new plan, as a share of what the rest of the old one is worth."""

OnDrift = Literal["replan", "halt", "ask"]
Action = Literal["continue", "replan", "escalate", "ask", "end"]


@dataclass(frozen=True, slots=True)
class DriftFacts:
    """The facts of a run after a superstep."""

    plan: Plan
    """The plan the run is on."""
    new_outcomes: tuple[Outcome, ...]
    """The outcomes since the last decision."""
    remaining: RemainingTotals
    """What is left to do, as it is estimated now."""
    left: Budget
    """What is left to spend."""
    make_new_plan: Callable[[], Plan]
    """Makes the plan that a new one would be; asked only where that could matter."""
    replans_left: int
    """How many plans may still be made for what bills came to; a failure needs none of them."""
    passed_limit: str = ""
    """Which limit was passed, in plain words; empty within all of them."""
    overrun_reason: str = ""
    """Who is not used again because of a new bill that was too high, and was to do what is left of
    the plan, in plain words; empty without any."""
    no_plan_reason: str = ""
    """Why there is no plan any more, whatever is left; empty as long as there may be."""
    reopened: Collection[str] = ()
    """The names of the steps whose result failed a check, and that can be done once more."""
    undone_reason: str = ""
    """Which step is not done that has to be there; empty where none is missed."""


@dataclass(frozen=True, slots=True)
class DriftDecision:
    """What happens next, and why."""

    action: Action
    reason: str = ""
    """A sentence for the receipt; empty when the run just goes on."""
    is_halt: bool = False
    """Whether the run ends before its plan is complete."""


def decide(
    run: DriftFacts, on_drift: OnDrift, describe_drift: Callable[[], str] = lambda: ""
) -> DriftDecision:
    """Decides whether the run goes on, plans anew, asks or ends.

    Args:
        run: the facts.
        on_drift: what to do when the rest of the plan no longer fits. Savings and failures
            lead to a new plan under every policy but `halt`, which ignores savings.
        describe_drift: tells whose bills came out otherwise than estimated, in plain words.
    """
    # First, as a limit that is passed is the end whatever else is wrong.
    if run.passed_limit:
        return DriftDecision("end", run.passed_limit, True)
    if run.no_plan_reason:
        return DriftDecision("end", run.no_plan_reason, True)
    remaining = run.remaining
    missing = run.left.exceeded_by(remaining.expected_spend)
    # A plan that was begun though it may not fit is no drift where it does not.
    is_short = missing and run.plan.chance is None
    lack = f"the rest of the plan is {format_amounts(missing)} short" if is_short else ""
    if lack and on_drift != "replan":
        action: Action = "end" if on_drift == "halt" else "ask"
        return DriftDecision(action, _with_drift(lack, describe_drift), on_drift == "halt")
    failed = _describe_failed_checks(run)
    # It is no drift, so it takes none of the plans that may be made for that.
    if failed and _buys_second_attempt(run):
        return DriftDecision("escalate", failed)
    # What has failed is not tried again, so that plans around failures end by themselves.
    reason = (
        _replan_reason(run, lack, on_drift) if run.replans_left > 0 else _replannable_trouble(run)
    )
    if reason:
        return DriftDecision("replan", _with_drift(reason, describe_drift))
    if remaining.option_count:
        return DriftDecision("continue", failed and f"{failed}; it stays as it is")
    # An empty plan is a good end only where nothing is open: else what is open did not fit.
    is_open = remaining.open_step_count and not run.plan.chosen
    if remaining.done_step_count and not is_open and not run.undone_reason:
        return DriftDecision("end", failed and f"{failed}; it stays as it is")
    told = run.undone_reason if remaining.done_step_count else NOTHING_FITS_REASON
    return DriftDecision("end", run.plan.note or _trouble(run) or told or NOTHING_FITS_REASON, True)


def _describe_failed_checks(run: DriftFacts) -> str:
    """Which new results failed a check, and why. Empty where none did."""
    failed = [
        f"{outcome.option.name!r} failed the check {result.check!r}: {result.reason}"
        for outcome in run.new_outcomes
        if outcome.has_text
        for result in outcome.failed_checks
    ]
    return "; ".join(failed)


def _buys_second_attempt(run: DriftFacts) -> bool:
    """Whether the best that can be done now does one of these steps once more."""
    if not any(outcome.step in run.reopened for outcome in run.new_outcomes):
        return False
    new_plan = run.make_new_plan()
    return any(each.step in run.reopened and not each.is_kept for each in new_plan.chosen)


def _with_drift(reason: str, describe_drift: Callable[[], str]) -> str:
    drift = describe_drift()
    return f"{reason}; {drift}" if drift else reason


def _replan_reason(run: DriftFacts, lack: str, on_drift: OnDrift) -> str:
    """Why a new plan is needed; empty when none is."""
    if not run.new_outcomes:
        return ""
    if lack:
        return "; ".join(filter(None, (_trouble(run), lack)))
    if trouble := _replannable_trouble(run):
        return trouble
    worth = run.remaining.value
    least = max(0.0, GAIN_MIN * worth)
    # The bound costs nothing. A plan is made only where it could be better by enough.
    if on_drift == "halt" or run.remaining.value_bound - worth <= least:
        return ""
    gain = run.make_new_plan().value - worth
    return f"what is left buys a better rest, worth {gain:+.1f}" if gain > least else ""


def _replannable_trouble(run: DriftFacts) -> str:
    """What went wrong, where something else can be planned; empty otherwise."""
    trouble = _trouble(run)
    return trouble if trouble and run.make_new_plan().chosen else ""


def _trouble(run: DriftFacts) -> str:
    """What did not work in the last superstep, and why; empty when all did."""
    troubles = [run.overrun_reason, *map(_describe_failure, run.new_outcomes)]
    return "; ".join(dict.fromkeys(filter(None, troubles)))


def _describe_failure(outcome: Outcome) -> str:
    """Why an attempt left nothing; empty for one that did."""
    match outcome.status:
        case "failed":
            return f"{outcome.option.name!r} did not work out: {outcome.reason}"
        case "skipped":
            return f"{outcome.option.name!r} was not begun: {outcome.reason}"
    return ""
