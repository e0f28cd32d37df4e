"""Which options are available to a run, at what price, and why the others are not."""

from collections.abc import Collection, Iterable, Sequence

from thrifty.budget import LeftOut, Step
from thrifty.executors.model_access import ModelAccess
from thrifty.planning.available_options import ExclusionReason, split_available


def price_steps(steps: Iterable[Step], model_access: ModelAccess) -> tuple[Step, ...]:
    """The steps, what models would do in them priced."""
    if not model_access.is_cost_limited:
        return tuple(steps)
    return tuple(
        step.with_options(tuple(map(model_access.price_option, step.options))) for step in steps
    )


def find_available_options(
    steps: Iterable[Step],
    model_access: ModelAccess,
    exclusion_reason: ExclusionReason = lambda option: "",
) -> tuple[tuple[Step, ...], tuple[LeftOut, ...]]:
    """What can be chosen, and what cannot and why.

    Args:
        steps: what is still to be done, priced.
        model_access: what models can be asked.
        exclusion_reason: further reasons, such as that an option has failed before.
    """
    return split_available(
        steps, lambda option: exclusion_reason(option) or model_access.unavailable_reason(option)
    )


def no_plan_reason(
    steps: Iterable[Step],
    available: Iterable[Step],
    left_out: Sequence[LeftOut],
    finished: Collection[str] = (),
) -> str:
    """Why no plan is feasible: a required step is not available, or no step is. Else empty.

    Args:
        steps: all that there are.
        available: those of them that have an available option.
        left_out: what cannot, and why.
        finished: the names of those that are done.
    """
    possible = {step.name for step in available}.union(finished)
    for step in steps:
        if step.required and step.name not in possible:
            why = _join_reasons(each for each in left_out if each.step == step.name)
            return f"the required step {step.name!r} cannot be done: {why}"
    return f"nothing can be done: {_join_reasons(left_out)}" if left_out and not possible else ""


def _join_reasons(left_out: Iterable[LeftOut]) -> str:
    return "; ".join(dict.fromkeys(each.reason for each in left_out))
