"""Which options a run does not try: those that failed, and those that a person left out."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from thrifty.budget import Outcome, StepOption

EXECUTOR_FAILURES_MAX = 2
"""So many failures of an executor in one run, and it is not tried again."""


def exclusion_rule(
    failures: Sequence[Outcome], left_out: Collection[str]
) -> Callable[[StepOption], str]:
    """Makes a function that says why an option is excluded. It returns nothing for any other.

    Args:
        failures: what was tried in vain, or could not be tried.
        left_out: what a person does not want done.
    """
    tried = {outcome.option.name: outcome.reason for outcome in failures}
    disabled = _disabled_executors(failures)

    def why_excluded(option: StepOption) -> str:
        if option.name in left_out or option.step in left_out:
            return "a person left it out"
        if option.name in tried:
            return f"was tried: {tried[option.name]}"
        if option.executor in disabled:
            return f"{option.executor} is out of order: {disabled[option.executor]}"
        return ""

    return why_excluded


def _disabled_executors(failures: Sequence[Outcome]) -> dict[str, str]:
    """The executors that have shown, at once or by repeated failure, that they do not work."""
    disabled = {outcome.disables: outcome.reason for outcome in failures if outcome.disables}
    # What was skipped was no attempt, and says nothing of its executor.
    failed = (outcome.option.executor for outcome in failures if outcome.status == "failed")
    for executor, count in Counter(failed).items():
        if count >= EXECUTOR_FAILURES_MAX:
            disabled.setdefault(executor, f"it failed {count} times")
    return disabled
