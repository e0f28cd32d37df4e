"""What a run keeps back, while steps are sent, for steps that come later."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thrifty.budget import Budget, Spend, StepOption, total_spend
from thrifty.executors.registry import LOCAL
from thrifty.executors.step_limit import least_needed
from thrifty.options.stand_in import dearness, find_stand_in
from thrifty.steering.remaining import RemainingPlan


def needed_later(
    remaining: RemainingPlan,
    sent_now: Sequence[StepOption],
    declared: Mapping[str, StepOption],
    left: Budget,
) -> Spend:
    """What is kept from steps that are sent now, however long their answers become.

    That is the cheapest way to do each required step, the answer and revisions, and the share of a
    direct answer that stands in for a section, where what is left holds it beside the plan. The
    latency is that of local steps, and of these where it is left beside the steps that are sent: a
    call that hangs must not take it.

    Args:
        remaining: what is still to be done.
        sent_now: as they are estimated now.
        declared: by name, all options as their recipe declares them.
        left: what may be spent.
    """
    now = {option.step for option in sent_now}
    steps = [remaining.forecast_step(name) for name in remaining.kept_steps if name not in now]
    cheapest = [
        min((least_needed(declared[o.name], o.estimate) for o in step.direct_options), key=dearness)
        for step in steps
    ]
    kept = total_spend([*cheapest, _share(remaining, left)])
    takes_ms = max((option.estimate.latency_ms for option in sent_now), default=0)
    local_ms, most_ms = _later_local_ms(remaining, sent_now), left.max_latency_ms
    whole_ms = local_ms + kept.latency_ms
    has_time = most_ms is not None and takes_ms + whole_ms <= most_ms
    return replace(kept, latency_ms=whole_ms if has_time else local_ms)


def _share(remaining: RemainingPlan, left: Budget) -> Spend:
    """The share of a direct answer, where what is left holds it beside all that is planned."""
    is_planned = any(
        remaining.open_steps[name].role == "answer" for name in remaining.options_by_step
    )
    answer = None if is_planned else find_stand_in(remaining.open_steps.values())
    if answer is None:
        return Spend()
    # Bills of other steps may suggest that it takes less. What is sent for it, they do not change.
    forecast = remaining.forecast_step(answer.step).option(answer.name).estimate
    share = Spend(*map(max, answer.estimate.amounts, forecast.amounts))
    planned = remaining.totals().expected_spend
    return Spend() if left.exceeded_by(planned + share) else share


def _later_local_ms(remaining: RemainingPlan, sent_now: Sequence[StepOption]) -> int:
    """What later local steps need."""
    now = sum(option.estimate.latency_ms for option in sent_now if option.executor == LOCAL)
    return remaining.expected_spend.total(LOCAL).latency_ms - now
