"""What a new plan changes in what remained of the old one, and why, in plain words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from thrifty.budget import Budget, Plan, StepOption, total_spend
from thrifty.budget.resources import RESOURCES, TOKENS, TOOL_CALLS, Resource

PlanChangeKind = Literal["downgrade", "upgrade", "skip"]


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A step that is done otherwise than planned, or not at all."""

    kind: PlanChangeKind
    reason: str
    """One sentence with the figures."""


def list_plan_changes(
    remaining: Sequence[StepOption],
    new_plan: Plan,
    left: Budget,
    describe_executor: Callable[[StepOption], str],
) -> tuple[PlanChange, ...]:
    """Lists the steps that change, in the order of the old plan, the added ones last.

    Args:
        remaining: what remained of the old plan, as it is estimated now.
        new_plan: the new plan.
        left: what there is for it.
        describe_executor: who does an option, for a person: "gpt-5", "the local template".
    """
    return tuple(_iterate_changes(remaining, new_plan, left, describe_executor))


def _iterate_changes(
    remaining: Sequence[StepOption],
    new_plan: Plan,
    left: Budget,
    describe_executor: Callable[[StepOption], str],
) -> Iterator[PlanChange]:
    now = {option.step: option for option in new_plan.chosen}
    for old in remaining:
        new = now.pop(old.step, None)
        if new is None:
            yield PlanChange(
                "skip", f"{old.step} was dropped: {_reason_for_lack(old, new_plan, left)}"
            )
        elif new.name != old.name:
            yield _option_change(old, new, new_plan, left, describe_executor)
    for new in now.values():
        room = _reason_for_room(new, new_plan, left)
        yield PlanChange("upgrade", f"{new.step} was added, by {describe_executor(new)}: {room}")


def _option_change(
    old: StepOption,
    new: StepOption,
    new_plan: Plan,
    left: Budget,
    describe_executor: Callable[[StepOption], str],
) -> PlanChange:
    one, other = describe_executor(old), describe_executor(new)
    if one == other:
        one, other = repr(old.name), repr(new.name)
    way = f"{old.step} moved from {one} to {other}"
    if new.value > old.value:
        return PlanChange("upgrade", f"{way}: {_reason_for_room(new, new_plan, left)}")
    return PlanChange("downgrade", f"{way}: {_reason_for_lack(old, new_plan, left)}")


def _reason_for_room(new: StepOption, new_plan: Plan, left: Budget) -> str:
    """What there is for an option beside the rest of its plan, and what it needs."""
    limits, needs = _room_beside(new, new_plan, left).limits, new.estimate.amounts
    rows = zip(RESOURCES, limits, needs, strict=True)
    for resource, limit, need in rows:
        if limit is not None and need:
            return f"{resource.show(limit)} are left, it needs {_format_need(resource, need)}"
    return "it needs nothing that is limited"


def _reason_for_lack(old: StepOption, new_plan: Plan, left: Budget) -> str:
    """Why an option is not in the new plan."""
    room, needs = _room_beside(old, new_plan, left), old.estimate
    missing = room.exceeded_by(needs)
    for resource, limit, need in zip(RESOURCES, room.limits, needs.amounts, strict=True):
        if limit is not None and resource.name in missing:
            return f"{resource.show(limit)} were left, it needs {_format_need(resource, need)}"
    reasons = {each.option: each.reason for each in new_plan.left_out}
    return reasons.get(old.name, "the new plan is worth more without it")


def _room_beside(option: StepOption, new_plan: Plan, left: Budget) -> Budget:
    """What the rest of a plan leaves for an option of a step."""
    return left.left_after(
        total_spend(o.estimate for o in new_plan.chosen if o.step != option.step)
    )


def _format_need(resource: Resource, amount: int) -> str:
    """An amount beside another one of its kind: a count does without its unit."""
    return f"{amount:,}" if resource in (TOKENS, TOOL_CALLS) else resource.show(amount)
