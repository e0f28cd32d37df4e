"""What a run keeps back, while steps are sent, for steps that come later."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from thrifty.budget import Spend, StepOption, total_spend
from thrifty.executors.registry import LOCAL
from thrifty.executors.step_limit import least_needed
from thrifty.steering.remaining import RemainingPlan


def needed_later(
    remaining: RemainingPlan, sent_now: Container[str], declared: Mapping[str, StepOption]
) -> Spend:
    """What required steps and final revisions need at the least, however long answers become.

    That is the cheapest way to do each. Time is not kept, as `later_local_ms` sees to that.
    """
    steps = [remaining.forecast_step(n) for n in remaining.kept_steps if n not in sent_now]
    cheapest = (
        min((least_needed(declared[o.name], o.estimate) for o in step.options), key=_dearness)
        for step in steps
    )
    return replace(total_spend(cheapest), latency_ms=0)


def _dearness(needed: Spend) -> tuple[int, int, int]:
    return needed.tool_calls, needed.cost_nano_usd, needed.tokens


def later_local_ms(remaining: RemainingPlan, sent_now: Sequence[StepOption]) -> int:
    """What later local steps need: a call that hangs must not take their milliseconds too."""
    now = sum(option.estimate.latency_ms for option in sent_now if option.executor == LOCAL)
    return remaining.expected_spend.total(LOCAL).latency_ms - now
