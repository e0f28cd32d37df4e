"""Which steps of a plan can start now, side by side."""

from collections.abc import Collection, Container, Mapping
from itertools import islice

from thrifty.budget import Step, StepOption


def ready_options(
    remaining: Collection[StepOption],
    steps: Mapping[str, Step],
    finished: Container[str],
    options_max: int,
) -> tuple[StepOption, ...]:
    """The first of the remaining options whose steps wait for nothing else that remains.

    A step waits for its requirements, and a revision for every section. A requirement that
    neither is finished nor will be keeps its step waiting for ever: such a step is taken last
    and by itself, so that `route` can say why it cannot be done.

    Args:
        remaining: what is still to be done, in its order; of a long one only the beginning is
            looked at.
        steps: all steps by name, done or not.
        finished: the names of the steps that are done.
        options_max: how many may run at once.
    """
    # Of all that remains: a section that still waits holds every revision back.
    has_sections = any(steps[option.step].role == "section" for option in remaining)
    in_turn = (o for o in remaining if steps[o.step].role == "section" or not has_sections)
    ready = (o for o in in_turn if all(r in finished for r in steps[o.step].requires))
    return tuple(islice(ready, options_max)) or tuple(islice(remaining, 1))
