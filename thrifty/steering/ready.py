"""Which steps of a plan can start now, side by side."""

from collections.abc import Container, Mapping
from itertools import islice

from thrifty.budget import Step, StepOption


def ready_options(
    remaining: Mapping[str, StepOption],
    steps: Mapping[str, Step],
    finished: Container[str],
    options_max: int,
) -> tuple[StepOption, ...]:
    """The first of the remaining options whose steps wait for nothing else that remains.

    A step waits for what it requires, for what it reads as long as that remains, and a revision
    for all that is none. A requirement that neither is finished nor will be keeps its step waiting
    for ever: such a step is taken last and by itself, so that `route` can say why it cannot be
    done.

    Args:
        remaining: what is still to be done by step, in its order; of a long one only the beginning
            is looked at.
        steps: all steps by name, done or not.
        finished: the names of the steps that are done.
        options_max: how many may run at once.
    """

    def can_start(step: Step) -> bool:
        reads = step.reads or ()
        return all(name in finished for name in step.requires) and not any(
            name in remaining and name not in finished for name in reads
        )

    options = remaining.values()
    # Of all that remains: a section that still waits holds every revision back.
    has_others = any(steps[option.step].role != "revision" for option in options)
    in_turn = (o for o in options if steps[o.step].role != "revision" or not has_others)
    ready = (option for option in in_turn if can_start(steps[option.step]))
    return tuple(islice(ready, options_max)) or tuple(islice(options, 1))
