"""Which steps of a plan can start now, side by side."""

from collections.abc import Collection, Sequence

from thrifty.budget import Step, StepOption
from thrifty.planning.problem import Problem


def upgradable_last(rest: Sequence[StepOption], problem: Problem) -> list[StepOption]:
    """The rest of a plan, but what has a better option waits for what is saved until then.

    Else free steps, which bring most for their spend, would all be done before anything could
    be saved for them. Under a limit on a schedule the order stays as it was planned.
    """
    if problem.concurrency > 1 and problem.left.max_latency_ms is not None:
        return list(rest)
    best = {step.name: max(o.value for o in step.options) for step in problem.steps}
    return sorted(rest, key=lambda option: option.value < best[option.step])


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
