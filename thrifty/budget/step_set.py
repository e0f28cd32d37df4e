"""A set of steps: whether it is sound, and the order in which its steps run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from thrifty.budget import validate
from thrifty.budget.errors import InvalidInput
from thrifty.budget.option import StepOption
from thrifty.budget.step import Step

Key = TypeVar("Key", str, int)


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
            executor nobody registered. What a step reads may be a document, which only a run
            knows: see `documents`.
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
    # Last, as the sorter takes an unknown requirement for one more step.
    if circle := _circle(steps):
        first = next(step for step in steps if step.name == circle[0])
        field = "requires" if circle[1] in first.requires else "reads"
        raise InvalidInput(f"step {first.name!r}.{field}", circle, "break this circle")


def order_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Puts steps into the order in which they run one after another.

    What a step requires or reads comes before it, and all else before revisions. Else they keep
    the given order. What is required or read and is not among the steps counts as done.
    """
    ranks = {step.name: (step.role == "revision", i) for i, step in enumerate(steps)}
    ordered = order_by_rank(ranks, {step.name: step.follows for step in steps})
    return tuple([steps[ranks[name][1]] for name in ordered])


def order_by_rank(ranks: Mapping[Key, Any], follows: Mapping[Key, Collection[Key]]) -> list[Key]:
    """Orders members by rank, the lowest first, but each after those that it follows.

    What is followed and is no member counts as done.
    """
    missing: dict[Key, int] = {}
    followers: dict[Key, list[Key]] = {member: [] for member in ranks}
    for member in ranks:
        before = {name for name in follows[member] if name in ranks}
        missing[member] = len(before)
        for name in before:
            followers[name].append(member)
    ready = [(ranks[member], member) for member in ranks if not missing[member]]
    heapify(ready)
    ordered = []
    while ready:
        member = heappop(ready)[1]
        ordered.append(member)
        for follower in followers[member]:
            missing[follower] -= 1
            if not missing[follower]:
                heappush(ready, (ranks[follower], follower))
    return ordered


def _circle(steps: Sequence[Step]) -> list[str]:
    """Steps that follow each other in a circle, the first again at the end. Empty without one."""
    try:
        TopologicalSorter({step.name: step.follows for step in steps}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []
