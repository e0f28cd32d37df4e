"""Which options a run does not try: what failed, what took too much, what a person left out."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from thrifty.budget import Outcome, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.overruns import Overrun
from thrifty.steering.plan_changes import TRIED

FAILURES_MAX = 2
"""So many failures of an executor, or of a role's model, in one run: it is not tried again."""


def exclusion_rule(
    failures: Sequence[Outcome],
    left_out: Collection[str],
    access: ModelAccess,
    overruns: Sequence[Overrun],
) -> Callable[[StepOption], str]:
    """Makes a function that says why an option is excluded. It returns nothing for any other.

    Args:
        failures: what was tried in vain, or could not be tried.
        left_out: what a person does not want done.
        access: says who does an option.
        overruns: bills that came to more than they were allowed.
    """
    tried = {outcome.option.name: outcome.reason for outcome in failures}
    disabled = _disabled_workers(failures, access.worker)
    over = {overrun.executor_model: overrun.reason for overrun in overruns}

    def why_excluded(option: StepOption) -> str:
        if option.name in left_out or option.step in left_out:
            return "a person left it out"
        if option.name in tried:
            return f"{TRIED}{tried[option.name]}"
        if (worker := access.worker(option)) in disabled:
            return f"{access.worker_label(option)} is out of order: {disabled[worker]}"
        if over and (reason := over.get(access.executor_model(option))):
            return reason
        return ""

    return why_excluded


def _disabled_workers(
    failures: Sequence[Outcome], worker_of: Callable[[StepOption], str]
) -> dict[str, str]:
    """Those that have shown, at once or by repeated failure, that they do not work."""
    disabled = {outcome.disables: outcome.reason for outcome in failures if outcome.disables}
    # What was skipped was no attempt, and says nothing of its executor.
    failed = (worker_of(outcome.option) for outcome in failures if outcome.status == "failed")
    for worker, count in Counter(failed).items():
        if count >= FAILURES_MAX:
            disabled.setdefault(worker, f"it failed {count} times")
    return disabled
