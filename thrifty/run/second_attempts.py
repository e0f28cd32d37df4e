"""Steps whose result failed a check: it can stay as it is, or somebody else tries once more.

Which of the two is worth its price, the planner says, with all that the run has still to do. So a
step that can be tried again is open, though it has a result: one of its options is to keep that.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace

from thrifty.budget import Outcome, Spend, Step, StepOption
from thrifty.budget.option import KEEP
from thrifty.options.chances import Chances, worth_when_right
from thrifty.run.run_cache import RunCache

ATTEMPTS_MOST = 2
"""How many results a step may have."""
KEPT = ", as it is"
"""What the name of a kept result ends with."""


def failed_results(cache: RunCache, steps: Iterable[Step]) -> dict[str, Outcome]:
    """By its step, each result that failed a check and that another attempt may replace.

    Once something that reads it has begun, or has revised it, it stays as it is.

    Args:
        cache: of the run.
        steps: all steps of the run.
    """
    failed = {
        name: outcome
        for name, outcome in cache.texts.items()
        if outcome.failed_checks and cache.text_counts[name] < ATTEMPTS_MOST
    }
    if not failed:
        return {}
    begun = {outcome.step for outcome in cache.outcomes if outcome.status != "skipped"}
    users = [step for step in steps if step.name in begun]
    used = {name for step in users for name in step.follows}
    if any(step.role == "revision" for step in users):
        used |= failed.keys()
    return {name: outcome for name, outcome in failed.items() if name not in used}


def reopen_step(
    step: Step, failed: Outcome, chances: Chances, has_effects: Callable[[str], bool]
) -> Step | None:
    """A step whose result failed a check, with what can still be done about it. None where
    nothing can.

    An option that would be worth less than the result as it is, is none, nor is one that changes
    something outside.

    Args:
        step: with the options that can still be had.
        failed: what has left its result.
        chances: what is known of how good results are.
        has_effects: whether an executor changes something outside.
    """
    kept = keep_option(failed.option, value_of_failed(failed, step, chances))
    worth, check = worth_when_right(step), failed.failed_checks[0].check
    others = []
    for option in step.options:
        if option.name == failed.option.name or has_effects(option.executor):
            continue
        odds = chances.odds(step, failed.option, option, check)
        value = worth * odds.quality_after_fail
        if value > kept.value:
            others.append(_after_fail(option, value, chances.bill_ratio(option, step, odds)))
    # Required, as no plan can do without what is there.
    return replace(step, options=(kept, *others), required=True) if others else None


def value_of_failed(failed: Outcome, step: Step, chances: Chances) -> float:
    """What a result is worth that failed a check: the check may be wrong.

    Args:
        failed: what has left it.
        step: with its options.
        chances: what is known of how good results are.
    """
    odds = chances.odds(step, failed.option, failed.option, failed.failed_checks[0].check)
    return worth_when_right(step) * odds.kept_quality


def is_second_attempt(option: StepOption, reopened: Container[str]) -> bool:
    """Whether an option does a step once more that has a result already.

    Args:
        option: of a plan.
        reopened: the names of the steps that may be done once more.
    """
    return option.step in reopened and not option.is_kept


def keep_unless_planned(
    chosen: Iterable[StepOption], reopened: Mapping[str, Step]
) -> Iterator[StepOption]:
    """The options of a plan, where what has failed a check since then is kept as it is.

    Args:
        chosen: of the plan in force.
        reopened: by name, the steps that may be done once more.
    """
    names = set()
    for option in chosen:
        names.add(option.name)
        if option.step not in reopened:
            yield option
    for step in reopened.values():
        yield next((each for each in step.options if each.name in names), step.options[0])


def keep_option(tried: StepOption, value: float) -> StepOption:
    """The option to leave a result as it is."""
    return StepOption(
        name=f"{tried.name}{KEPT}",
        step=tried.step,
        executor=KEEP,
        description="Keeps what is there.",
        estimate=Spend(),
        value=value,
        spread=0.0,
    )


def _after_fail(option: StepOption, value: float, bill_ratio: float) -> StepOption:
    """An option as it is expected where another failed: such work takes longer."""
    tokens, cost_nano_usd, latency_ms, tool_calls = option.estimate.amounts
    estimate = Spend(
        round(tokens * bill_ratio),
        round(cost_nano_usd * bill_ratio),
        round(latency_ms * bill_ratio),
        tool_calls,
    )
    return replace(option.with_estimate(estimate, option.spread), value=value)
