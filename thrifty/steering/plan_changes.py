"""What a new plan changes in what remained of the old one, and why, in plain words."""

from collections.abc import Callable, Iterator, Sequence

from thrifty.budget import Budget, Plan, StepOption, total_spend
from thrifty.budget.decision import Decision
from thrifty.budget.resources import LATENCY, RESOURCES, format_bare
from thrifty.planning.plan_spend import plan_spend
from thrifty.planning.problem import Problem


def iterate_plan_changes(
    remaining: Sequence[StepOption],
    new_plan: Plan,
    problem: Problem,
    describe_executor: Callable[[StepOption], str],
    at_ms: int = 0,
) -> Iterator[Decision]:
    """Yields a plan change for each step that is done otherwise than planned, or not at all.

    They come in the order of the old plan, the added ones last.

    Args:
        remaining: what remained of the old plan, as it is estimated now.
        new_plan: the new plan.
        problem: what it was made for.
        describe_executor: who does an option, for a person: "gpt-5", "the local template".
        at_ms: when it was made, in milliseconds of the run's active time.
    """
    new_options = {option.step: option for option in new_plan.chosen}
    for old in remaining:
        new = new_options.pop(old.step, None)  # what is left over was added
        if new is None:
            reason = _reason_for_lack(old, new_plan, problem)
            yield Decision("skip", f"{old.step} was dropped: {reason}", at_ms)
        elif new.name != old.name:
            one, other = describe_executor(old), describe_executor(new)
            if one == other:
                one, other = repr(old.name), repr(new.name)
            change = f"{old.step} moved from {one} to {other}"
            if new.value > old.value:
                reason = _reason_for_room(new, new_plan, problem)
                yield Decision("upgrade", f"{change}: {reason}", at_ms)
            else:
                reason = _reason_for_lack(old, new_plan, problem)
                yield Decision("downgrade", f"{change}: {reason}", at_ms)
    for new in new_options.values():
        reason = _reason_for_room(new, new_plan, problem)
        added = f"{new.step} was added, by {describe_executor(new)}"
        yield Decision("upgrade", f"{added}: {reason}", at_ms)


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
