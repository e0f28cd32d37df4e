"""Which steps of a plan can start now, side by side."""

from collections.abc import Collection, Sequence

from thrifty.budget import Step, StepOption


def ready_wave(
    rest: Sequence[StepOption], steps: Sequence[Step], finished: Collection[str], at_most: int
) -> tuple[StepOption, ...]:
    """The first options of the rest whose steps wait for nothing else in it.

    A step waits for its requirements, and a revision for every section. A requirement that
    neither is finished nor will be keeps its step waiting for ever: such a step is taken last
    and by itself, so that `route` can say why it cannot be done.

    Args:
        rest: what is still to be done, in running order.
        steps: all steps, done or not.
        finished: the names of the steps that are done.
        at_most: how many may run at once.
    """
    by_name = {step.name: step for step in steps}
    sections = [option for option in rest if by_name[option.step].role == "section"]
    candidates = sections or rest
    ready = [o for o in candidates if set(by_name[o.step].requires) <= set(finished)]
    return tuple(ready[:at_most] or rest[:1])
