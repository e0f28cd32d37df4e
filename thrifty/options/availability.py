"""Which options are available to a run, at what price, and why the others are not."""

from collections.abc import Callable, Collection, Iterable, Sequence

from thrifty.budget import LeftOut, Step, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.steering.plan_changes import TRIED

OFFLINE = "offline"
"""How the reasons of models begin that cannot be asked."""
NO_MODEL = (
    "nothing here can answer this without a model: set its key (OPENAI_API_KEY, ANTHROPIC_API_KEY, "
    "…) or OPENAI_BASE_URL, or register an executor"
)
"""Why there is no plan where models are all that there is, and none can be reached."""
NOTHING = "nothing can be done: "
"""How the reason begins why there is no plan in any other case."""


def find_available_options(
    steps: Iterable[Step],
    model_access: ModelAccess,
    exclusion_reason: Callable[[StepOption], str] = lambda option: "",
) -> tuple[tuple[Step, ...], tuple[LeftOut, ...]]:
    """What can be chosen, and what cannot and why; a step without any option left is not offered.

    Args:
        steps: what is still to be done, estimated.
        model_access: what models can be asked.
        exclusion_reason: a further reason, such as that an option has failed before, or nothing.
    """
    offered: list[Step] = []
    left_out: list[LeftOut] = []
    for step in steps:
        reasons = [exclusion_reason(o) or model_access.unavailable_reason(o) for o in step.options]
        judged = list(zip(step.options, reasons, strict=True))
        left_out += [LeftOut(option.name, step.name, reason) for option, reason in judged if reason]
        if options := tuple(option for option, reason in judged if not reason):
            # The very same step where it lost nothing: forecasts know a step by its identity.
            offered.append(step.with_options(options) if any(reasons) else step)
    return tuple(offered), tuple(left_out)


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
    if possible:
        return ""
    if all(each.reason.startswith(OFFLINE) for each in left_out):
        return f"{NO_MODEL} ({_join_reasons(left_out)})" if left_out else NO_MODEL
    return f"{NOTHING}{_join_reasons(left_out)}"


def _join_reasons(left_out: Iterable[LeftOut]) -> str:
    return "; ".join(dict.fromkeys(each.reason.removeprefix(TRIED) for each in left_out))
