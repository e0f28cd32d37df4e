"""Which options are available to a run, at what price, and why the others are not."""

from collections.abc import Callable, Collection, Iterable, Sequence

from thrifty.budget import LeftOut, Step, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.planning.role_rows import RoleRows, excused_beside
from thrifty.steering.plan_changes import TRIED

OFFLINE = "offline"
"""How the reasons of models begin that cannot be asked."""
NO_MODEL = (
    "nothing here can answer this without a model: set OPENAI_API_KEY or OPENAI_BASE_URL, or name "
    "another vendor's model (THRIFTY_MODELS__STRONG=anthropic:claude-haiku-4-5) and set its key, "
    "or register an executor"
)
"""Why there is no plan where models are all that there is, and none can be reached."""
NOTHING = "nothing can be done: "
"""How the reason begins why there is no plan in any other case."""
UNREAD = "nobody that reads it can be done"
"""Why a material is out of the question that could be done itself."""


def find_available_options(
    steps: Sequence[Step],
    model_access: ModelAccess,
    exclusion_reason: Callable[[StepOption], str] = lambda option: "",
) -> tuple[tuple[Step, ...], tuple[LeftOut, ...]]:
    """What can be chosen, and what cannot and why; a step without any option left is not offered.

    Args:
        steps: what is still to be done, estimated.
        model_access: what models can be asked.
        exclusion_reason: a further reason, such as that an option has failed before, or nothing.
    """
    return offer_options(
        steps, lambda option: exclusion_reason(option) or model_access.unavailable_reason(option)
    )


def offer_options(
    steps: Sequence[Step], reason_against: Callable[[StepOption], str]
) -> tuple[tuple[Step, ...], tuple[LeftOut, ...]]:
    """The steps with the options that nothing speaks against, and the others with their reasons.

    A step without any option left is not offered, nor is material that nobody is left to read.

    Args:
        steps: what is still to be done.
        reason_against: what speaks against an option, or nothing.
    """
    offered: list[Step] = []
    left_out: list[LeftOut] = []
    for step in steps:
        judged = [(option, reason_against(option)) for option in step.options]
        left_out += [LeftOut(option.name, step.name, reason) for option, reason in judged if reason]
        if options := tuple(option for option, reason in judged if not reason):
            # The very same step where it lost nothing: forecasts know a step by its identity.
            is_whole = len(options) == len(step.options)
            offered.append(step if is_whole else step.with_options(options))
    unread = RoleRows(offered, (), lost_steps(steps, offered)).read_by_nobody()
    left_out += [
        LeftOut(option.name, step.name, UNREAD)
        for step in offered
        if step.name in unread
        for option in step.options
    ]
    return tuple(step for step in offered if step.name not in unread), tuple(left_out)


def lost_steps(steps: Iterable[Step], offered: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that nobody can do.

    Args:
        steps: all that there are.
        offered: those of them that have an option left.
    """
    names = {step.name for step in offered}
    return tuple(step for step in steps if step.name not in names)


def no_plan_reason(
    steps: Sequence[Step],
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
    answers = {step.name for step in steps if step.role == "answer"}
    # Of two answers that are required, one that may yet be chosen does not excuse the other.
    excused = excused_beside(finished, steps) | excused_beside(possible, steps) - answers
    for step in steps:
        if step.required and step.name not in possible | excused:
            why = _join_reasons(each for each in left_out if each.step == step.name)
            return f"the required step {step.name!r} cannot be done: {why}"
    if possible:
        return ""
    left_out = [each for each in left_out if each.reason != UNREAD]
    if all(each.reason.startswith(OFFLINE) for each in left_out):
        return f"{NO_MODEL} ({_join_reasons(left_out)})" if left_out else NO_MODEL
    return f"{NOTHING}{_join_reasons(left_out)}"


def _join_reasons(left_out: Iterable[LeftOut]) -> str:
    return "; ".join(dict.fromkeys(each.reason.removeprefix(TRIED) for each in left_out))
