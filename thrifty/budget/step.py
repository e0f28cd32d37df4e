"""A piece of work, with its alternatives; and what makes a set of steps a sound one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import Literal, get_args

from typing_extensions import TypedDict

from thrifty.budget import checks
from thrifty.budget.errors import InvalidInput
from thrifty.budget.option import NAME_MAX, OptionState, StepOption

Role = Literal["section", "revision"]


class StepState(TypedDict):
    """A `Step` as plain data."""

    name: str
    options: list[OptionState]
    requires: list[str]
    topic: str
    role: str
    required: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of work the task may need, and the ways to do it, of which at most one is chosen.

    Raises:
        InvalidInput: no options, an option of another step, or a field of the wrong type.
    """

    name: str
    """Unique in its catalog, and the heading of what it adds to the draft."""
    options: tuple[StepOption, ...]
    """The alternatives."""
    requires: tuple[str, ...] = ()
    """Names of the steps that must be done before this one."""
    topic: str = ""
    """Steps that share a topic are partly redundant; the step's own name unless given."""
    role: Role = "section"
    """A `section` adds to the draft; a `revision` runs after all sections and rewrites it."""
    required: bool = False
    """Whether a plan without this step is no plan at all."""
    value_max: float = field(init=False, repr=False, compare=False)
    """What the best of its options is worth."""

    def __post_init__(self) -> None:
        checks.text("step.name", self.name, maximum=NAME_MAX)
        where = f"step {self.name!r}"
        checks.choice(f"{where}.role", self.role, get_args(Role))
        if not self.options:
            raise InvalidInput(f"{where}.options", self.options, "give at least one option")
        for option in self.options:
            if option.step != self.name:
                raise InvalidInput(f"option {option.name!r}.step", option.step, f"use {self.name}")
        if not self.topic:
            object.__setattr__(self, "topic", self.name)
        object.__setattr__(self, "value_max", max([option.value for option in self.options]))

    def option(self, name: str) -> StepOption:
        """The one of its options that has this name."""
        return next(option for option in self.options if option.name == name)

    def offering(self, options: tuple[StepOption, ...]) -> Step:
        """The same step with other options; quicker than `replace`, as `StepOption.estimated`."""
        return Step(self.name, options, self.requires, self.topic, self.role, self.required)

    def to_state(self) -> StepState:
        return StepState(
            name=self.name,
            options=[option.to_state() for option in self.options],
            requires=list(self.requires),
            topic=self.topic,
            role=self.role,
            required=self.required,
        )

    @classmethod
    def from_state(cls, state: object, where: str = "step") -> Step:
        given = dict(checks.complete(where, state, StepState.__annotations__))
        options = checks.sequence(f"{where}.options", given["options"])
        given["options"] = tuple(StepOption.from_state(option) for option in options)
        given["requires"] = tuple(checks.sequence(f"{where}.requires", given["requires"]))
        return cls(**given)


def group(options: Iterable[StepOption]) -> tuple[Step, ...]:
    """Loose options as steps, in the order in which each step is first named."""
    by_step: dict[str, list[StepOption]] = {}
    for option in options:
        by_step.setdefault(option.step, []).append(option)
    return tuple(Step(name, tuple(members)) for name, members in by_step.items())


def check_steps(steps: Sequence[Step], executors: Collection[str] | None = None) -> None:
    """Checks what no step can check alone.

    Args:
        steps: all steps a plan may draw on.
        executors: the names of the registered executors; unchecked when None.

    Raises:
        InvalidInput: a duplicate name, an unknown or circular requirement, or an option whose
            executor nobody registered.
    """
    names = {step.name for step in steps}
    checks.unique("step.name", [step.name for step in steps])
    checks.unique("option.name", [option.name for step in steps for option in step.options])
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


def in_running_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The order in which steps run one after another.

    Requirements come before what requires them, and sections before revisions; beyond that
    the given order stands. A requirement that is not among the steps is taken as done.
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
    """One circle of requirements, its first name again at the end; empty when there is none."""
    try:
        TopologicalSorter({step.name: step.requires for step in steps}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []
