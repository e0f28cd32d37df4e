"""What a new plan changes in the rest of the old one, and why, in plain words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from thrifty.budget import Budget, Plan, StepOption, total
from thrifty.budget.resources import RESOURCES, TOKENS, TOOL_CALLS, Resource

MoveKind = Literal["downgrade", "upgrade", "skip"]


@dataclass(frozen=True, slots=True)
class Move:
    """A step that is done otherwise than planned, or not at all."""

    kind: MoveKind
    reason: str
    """One sentence with the figures."""


def moves(
    rest: Sequence[StepOption], made: Plan, left: Budget, by: Callable[[StepOption], str]
) -> tuple[Move, ...]:
    """The steps that change, in the order of the old plan, the added ones last.

    Args:
        rest: what remained of the old plan, as it is estimated now.
        made: the new plan.
        left: what there is for it.
        by: who does an option, for a person: "gpt-5", "the local template".
    """
    return tuple(_moves(rest, made, left, by))


def _moves(
    rest: Sequence[StepOption], made: Plan, left: Budget, by: Callable[[StepOption], str]
) -> Iterator[Move]:
    now = {option.step: option for option in made.chosen}
    for old in rest:
        new = now.pop(old.step, None)
        if new is None:
            yield Move("skip", f"{old.step} was dropped: {_lack(old, made, left)}")
        elif new.name != old.name:
            yield _moved(old, new, made, left, by)
    for new in now.values():
        yield Move("upgrade", f"{new.step} was added, by {by(new)}: {_room(new, made, left)}")


def _moved(
    old: StepOption, new: StepOption, made: Plan, left: Budget, by: Callable[[StepOption], str]
) -> Move:
    one, other = by(old), by(new)
    if one == other:
        one, other = repr(old.name), repr(new.name)
    way = f"{old.step} moved from {one} to {other}"
    if new.value > old.value:
        return Move("upgrade", f"{way}: {_room(new, made, left)}")
    return Move("downgrade", f"{way}: {_lack(old, made, left)}")


def _room(new: StepOption, made: Plan, left: Budget) -> str:
    """What there is for an option beside the rest of its plan, and what it needs."""
    limits, needs = _room_beside(new, made, left).limits, new.estimate.amounts
    rows = zip(RESOURCES, limits, needs, strict=True)
    for resource, limit, need in rows:
        if limit is not None and need:
            return f"{resource.show(limit)} are left, it needs {_figure(resource, need)}"
    return "it needs nothing that is limited"


def _lack(old: StepOption, made: Plan, left: Budget) -> str:
    """Why an option is not in the new plan."""
    room, needs = _room_beside(old, made, left), old.estimate
    missing = room.exceeded_by(needs)
    for resource, limit, need in zip(RESOURCES, room.limits, needs.amounts, strict=True):
        if limit is not None and resource.name in missing:
            return f"{resource.show(limit)} were left, it needs {_figure(resource, need)}"
    reasons = {each.option: each.reason for each in made.left_out}
    return reasons.get(old.name, "the new plan is worth more without it")


def _room_beside(option: StepOption, made: Plan, left: Budget) -> Budget:
    """What the rest of a plan leaves for an option of a step."""
    return left.left_after(total(o.estimate for o in made.chosen if o.step != option.step))


def _figure(resource: Resource, amount: int) -> str:
    """An amount beside another one of its kind: a count does without its unit."""
    return f"{amount:,}" if resource in (TOKENS, TOOL_CALLS) else resource.show(amount)
