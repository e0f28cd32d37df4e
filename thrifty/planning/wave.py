"""Which steps of a plan can start now, side by side."""

from collections.abc import Container, Mapping, Sequence
from itertools import islice

from thrifty.budget import Step, StepOption
from thrifty.planning.problem import Problem


def upgradable_last(rest: Sequence[StepOption], problem: Problem) -> list[StepOption]:
    """The rest of a plan, but what has a better option waits for what is saved until then.

    Else free steps, which bring most for their spend, would all be done before anything could
    be saved for them. Under a limit on a schedule the order stays as it was planned.
    """
    if problem.concurrency > 1 and problem.left.max_latency_ms is not None:
        return list(rest)
    best = {step.name: step.value_max for step in problem.steps}
    return sorted(rest, key=lambda option: option.value < best[option.step])


def ready_wave(
    rest: Sequence[StepOption], steps: Mapping[str, Step], finished: Container[str], at_most: int
) -> tuple[StepOption, ...]:
    """The first options of the rest whose steps wait for nothing else in it.

    A step waits for its requirements, and a revision for every section. A requirement that
    neither is finished nor will be keeps its step waiting for ever: such a step is taken last
    and by itself, so that `route` can say why it cannot be done.

    Args:
        rest: what is still to be done, in running order.
        steps: all steps by name, done or not.
        finished: the names of the steps that are done.
        at_most: how many may run at once.
    """
    sections = [option for option in rest if steps[option.step].role == "section"]
    ready = (o for o in sections or rest if all(r in finished for r in steps[o.step].requires))
    return tuple(islice(ready, at_most)) or tuple(rest[:1])
