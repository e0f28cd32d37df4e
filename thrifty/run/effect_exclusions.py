"""Which steps a run does in no other way: what a person declined, and what may have happened."""

from collections.abc import Callable, Sequence

from thrifty.budget import Outcome, StepOption

LEFT_OUT = "a person left it out"


def effect_exclusion_rule(
    failures: Sequence[Outcome], has_effects: Callable[[str], bool]
) -> Callable[[StepOption], str]:
    """Makes a function that says why an option is excluded. It returns nothing for any other.

    Args:
        failures: what was tried in vain, or could not be tried.
        has_effects: whether an executor of that name changes something outside.
    """
    declined = {outcome.step for outcome in failures if outcome.reason == LEFT_OUT}
    # To do it in another way might be to do it twice.
    called = {
        outcome.step: outcome.option.name
        for outcome in failures
        if outcome.status != "skipped" and has_effects(outcome.option.executor)
    }

    def why_excluded(option: StepOption) -> str:
        if option.step in declined:
            return LEFT_OUT
        if (other := called.get(option.step, option.name)) != option.name:
            return f"{other!r} was tried, which may have changed something outside"
        return ""

    return why_excluded
