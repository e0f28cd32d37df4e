"""Which steps a run does in no other way: what a person declined, and what may have happened."""

from collections.abc import Callable, Sequence

from thrifty.budget import Outcome, StepOption
from thrifty.executors.registry import AGENT

LEFT_OUT = "a person left it out"


def effect_exclusion_rule(
    failures: Sequence[Outcome], may_have_changed: Callable[[StepOption], bool]
) -> Callable[[StepOption], str]:
    """Makes a function that says why an option is excluded. It returns nothing for any other.

    Args:
        failures: what was tried in vain, or could not be tried.
        may_have_changed: whether an option that was called may have changed something outside.
    """
    declined = {outcome.step for outcome in failures if outcome.reason == LEFT_OUT}
    # To do it in another way might be to do it twice.
    called = {
        outcome.step: outcome.option
        for outcome in failures
        if outcome.status != "skipped" and may_have_changed(outcome.option)
    }

    def why_excluded(option: StepOption) -> str:
        if option.step in declined:
            return LEFT_OUT
        other = called.get(option.step, option)
        # An agent's tools find what those of another have done.
        if other.name == option.name or other.executor == option.executor == AGENT:
            return ""
        return f"{other.name!r} was tried, which may have changed something outside"

    return why_excluded
