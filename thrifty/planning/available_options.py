"""Which options can still be chosen, and which cannot and why."""

from collections.abc import Callable, Iterable

from thrifty.budget import LeftOut, Step, StepOption

ExclusionReason = Callable[[StepOption], str]
"""Why an option cannot be chosen at all; empty when it can."""


def split_available(
    steps: Iterable[Step], exclusion_reason: ExclusionReason
) -> tuple[tuple[Step, ...], tuple[LeftOut, ...]]:
    """Splits the options of steps into those that can be chosen and those that are excluded.

    A step all of whose options are excluded is not among the steps returned.
    """
    offered: list[Step] = []
    left_out: list[LeftOut] = []
    for step in steps:
        reasons = [(option, exclusion_reason(option)) for option in step.options]
        left_out += [LeftOut(o.name, step.name, reason) for o, reason in reasons if reason]
        if options := tuple(option for option, reason in reasons if not reason):
            is_whole = len(options) == len(step.options)
            offered.append(step if is_whole else step.with_options(options))
    return tuple(offered), tuple(left_out)
