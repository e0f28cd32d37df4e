"""What a new plan changes in what remained of the old one, and why, in plain words."""

from collections.abc import Callable, Iterator, Sequence

from thrifty.budget import Budget, Plan, StepOption, total_spend
from thrifty.budget.decision import Decision, DecisionKind
from thrifty.budget.resources import LATENCY, RESOURCES, format_bare
from thrifty.planning.plan_spend import plan_spend
from thrifty.planning.problem import Problem

TRIED = "was tried: "
"""What the reason of an option begins with that was tried in vain."""


def iterate_plan_changes(
    old_options: Sequence[StepOption],
    new_plan: Plan,
    problem: Problem,
    describe_executor: Callable[[StepOption], str],
    at_ms: int = 0,
) -> Iterator[Decision]:
    """Yields a plan change for each step that is done otherwise than planned, or not at all.

    They come in the order of the old plan, the added ones last.

    Args:
        old_options: what of the old plan was not done, what can no longer be had as well.
        new_plan: the new plan.
        problem: what it was made for.
        describe_executor: who does an option, for a person: "gpt-5", "the local template".
        at_ms: when it was made, in milliseconds of the run's active time.
    """
    now = {option.name: option for step in problem.steps for option in step.options}
    new_options = {option.step: option for option in new_plan.chosen}
    for planned in old_options:
        old = now.get(planned.name, planned)  # as it is estimated now
        new = new_options.pop(old.step, None)  # what is left over was added
        if new is None:
            reason = _reason_for_loss(old, new_plan, problem)
            yield Decision("skip", f"{old.step} was dropped: {reason}", at_ms)
        elif new.name != old.name:
            one, other = describe_executor(old), describe_executor(new)
            if one == other:
                one, other = repr(old.name), repr(new.name)
            kind, reason = _describe_move(old, new, new_plan, problem)
            yield Decision(kind, f"{old.step} moved from {one} to {other}: {reason}", at_ms)
    for new in new_options.values():
        if new.is_kept:
            continue
        if any(step.name == new.step and step.has_result for step in problem.steps):
            tried_again = f"{new.step} is tried once more, by {describe_executor(new)}"
            yield Decision("upgrade", tried_again, at_ms)
            continue
        reason = _reason_for_room(new, new_plan, problem)
        added = f"{new.step} was added, by {describe_executor(new)}"
        yield Decision("upgrade", f"{added}: {reason}", at_ms)


def kind_of_move(old: StepOption, new: StepOption) -> DecisionKind:
    """What the move of a step to another option is, by what they are worth."""
    if new.value == old.value:
        return "move"
    return "upgrade" if new.value > old.value else "downgrade"


def _describe_move(
    old: StepOption, new: StepOption, new_plan: Plan, problem: Problem
) -> tuple[DecisionKind, str]:
    """What a step's move to another option is, and why it was made."""
    if reason := _why_gone(old, new_plan, problem):
        return "fallback", reason
    kind = kind_of_move(old, new)
    why = _reason_for_room(new, new_plan, problem) if kind == "upgrade" else None
    return kind, why or _reason_for_lack(old, new_plan, problem)


def _reason_for_loss(old: StepOption, new_plan: Plan, problem: Problem) -> str:
    return _why_gone(old, new_plan, problem) or _reason_for_lack(old, new_plan, problem)


def _why_gone(old: StepOption, new_plan: Plan, problem: Problem) -> str:
    """Why an option cannot be had any more, whatever is left. Empty for one that can."""
    if any(old.name == option.name for step in problem.steps for option in step.options):
        return ""
    # What the planner never saw, the plan names after all others, with the reason.
    reasons = {each.option: each.reason for each in new_plan.left_out}
    return reasons.get(old.name, "").removeprefix(TRIED)


def _reason_for_room(new: StepOption, new_plan: Plan, problem: Problem) -> str:
    """What there is for an option beside the rest of its plan, and what it needs."""
    limits, needs = _room_beside(new, new_plan, problem).limits, new.estimate.amounts
    for resource, limit, need in zip(RESOURCES, limits, needs, strict=True):
        if limit is not None and need:
            return f"{resource.show(limit)} are left, it needs {format_bare(need, resource)}"
    limit_ms = problem.left.max_latency_ms
    if limit_ms is None or not new.estimate.latency_ms:
        return "it needs nothing that is limited"
    takes_ms = plan_spend(problem, new_plan.chosen).latency_ms
    return f"{LATENCY.show(limit_ms)} are left, the plan takes {LATENCY.show(takes_ms)}"


def _reason_for_lack(old: StepOption, new_plan: Plan, problem: Problem) -> str:
    """Why an option is not in the new plan."""
    room, needs = _room_beside(old, new_plan, problem), old.estimate
    missing = room.exceeded_by(needs)
    for resource, limit, need in zip(RESOURCES, room.limits, needs.amounts, strict=True):
        if limit is not None and resource.name in missing:
            return f"{resource.show(limit)} were left, it needs {format_bare(need, resource)}"
    reasons = {each.option: each.reason for each in new_plan.left_out}
    return reasons.get(old.name, "the new plan is worth more without it")


def _room_beside(option: StepOption, new_plan: Plan, problem: Problem) -> Budget:
    """What the rest of a plan leaves of the limits on what adds up, for an option of a step."""
    # Of steps side by side the latencies do not add up: there the planner's own reason tells it.
    left = problem.left if problem.concurrency == 1 else problem.left.without_latency()
    return left.left_after(
        total_spend(o.estimate for o in new_plan.chosen if o.step != option.step)
    )
