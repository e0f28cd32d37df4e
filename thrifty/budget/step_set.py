"""A set of steps: whether it is sound, and the order in which its steps run."""

from collections.abc import Collection, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush

from thrifty.budget import validate
from thrifty.budget.errors import InvalidInput
from thrifty.budget.option import StepOption
from thrifty.budget.step import Step


def group_by_step(options: Iterable[StepOption]) -> tuple[Step, ...]:
    """Groups options into steps, in the order in which each step is first named."""
    by_step: dict[str, list[StepOption]] = {}
    for option in options:
        by_step.setdefault(option.step, []).append(option)
    return tuple(Step(name, tuple(members)) for name, members in by_step.items())


def check_steps(steps: Sequence[Step], executors: Collection[str] | None = None) -> None:
    """Checks what no step can check alone.

    Args:
        steps: all steps a plan may draw on.
        executors: the names of the registered executors. Unchecked when None.

    Raises:
        InvalidInput: a duplicate name, an unknown or circular requirement, or an option whose
            executor nobody registered.
    """
    names = {step.name for step in steps}
    validate.unique_names("step.name", [step.name for step in steps])
    validate.unique_names("option.name", [option.name for step in steps for option in step.options])
    for step in steps:
        for required in step.requires:
            if required not in names:
                raise InvalidInput(f"step {step.name!r}.requires", required, "name another step")
        for option in step.options:
            if executors is not None and option.executor not in executors:
                raise InvalidInput(
                    f"option {option.name!r}.executor",
                    option.executor,
                    f"register it, or use one of: {', '.join(sorted(executors))}",
                )
    if circle := _requirement_cycle(steps):
        raise InvalidInput(f"step {circle[0]!r}.requires", circle, "break this circle")


def order_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Puts steps into the order in which they run one after another.

    Requirements come before what requires them, and sections before revisions. Else
    they keep the given order. A requirement that is not among the steps counts as done.
    """
    position = {step.name: (step.role == "revision", i) for i, step in enumerate(steps)}
    sorter = TopologicalSorter(
        {step.name: [name for name in step.requires if name in position] for step in steps}
    )
    sorter.prepare()
    ready: list[tuple[tuple[bool, int], str]] = []
    ordered: list[Step] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, (position[name], name))
        (_, index), name = heappop(ready)
        ordered.append(steps[index])
        sorter.done(name)
    return tuple(ordered)


def _requirement_cycle(steps: Sequence[Step]) -> list[str]:
    """One circle of requirements, its first name again at the end. Empty when there is none."""
    try:
        TopologicalSorter({step.name: step.requires for step in steps}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []
