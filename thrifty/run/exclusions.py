"""Which options a run does not try: those that failed, and those that a person left out."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from thrifty.budget import Outcome, StepOption

EXECUTOR_FAILURES_MAX = 2
"""So many failures of an executor in one run, and it is not tried again."""


def exclusion_rule(
    outcomes: Sequence[Outcome], left_out: Collection[str] = ()
) -> Callable[[StepOption], str]:
    """Makes a function that says why an option is excluded. It returns nothing for any other."""
    failures = {o.option.name: o.reason for o in outcomes if o.status in ("failed", "skipped")}
    disabled = _disabled_executors(outcomes)

    def why_excluded(option: StepOption) -> str:
        if option.name in left_out or option.step in left_out:
            return "a person left it out"
        if option.name in failures:
            return f"was tried: {failures[option.name]}"
        if option.executor in disabled:
            return f"{option.executor} is out of order: {disabled[option.executor]}"
        return ""

    return why_excluded


def _disabled_executors(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """The executors that have shown, at once or by repeated failure, that they do not work."""
    disabled = {outcome.disables: outcome.reason for outcome in outcomes if outcome.disables}
    failures = [outcome for outcome in outcomes if outcome.status == "failed"]
    for executor, count in Counter(outcome.option.executor for outcome in failures).items():
        if count >= EXECUTOR_FAILURES_MAX:
            disabled.setdefault(executor, f"it failed {count} times")
    return disabled
