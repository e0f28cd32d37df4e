"""Why an option is not in a plan, in plain words; the same words whichever engine planned."""

from collections.abc import Mapping, Sequence

from thrifty.budget.limits import Budget
from thrifty.budget.option import StepOption
from thrifty.budget.plan import LeftOut
from thrifty.budget.resources import told
from thrifty.budget.spend import Spend, total
from thrifty.budget.step import Step
from thrifty.planning.problem import Problem


def shortfall(missing: Mapping[str, int]) -> str:
    """What is missing, for a person: "412 tokens, 1 call short"."""
    return f"{told(missing)} short"


def over(excess: Mapping[str, int]) -> str:
    """What is too much, for a person: "412 tokens over the limit"."""
    return f"{told(excess)} over the limit"


def left_out(problem: Problem, chosen: Sequence[StepOption]) -> tuple[LeftOut, ...]:
    """Every option that was not chosen, with what kept it out, in the order of the steps."""
    chosen_names = {option.name for option in chosen}
    return tuple(
        LeftOut(option.name, step.name, _reason(problem, step, option, chosen))
        for step in problem.steps
        for option in step.options
        if option.name not in chosen_names
    )


def _reason(problem: Problem, step: Step, option: StepOption, chosen: Sequence[StepOption]) -> str:
    if missing := problem.left.exceeded_by(option.estimate):
        return f"does not fit even alone: {shortfall(missing)}"
    present = {step.name for step in problem.done} | {other.step for other in chosen}
    if absent := [name for name in step.requires if name not in present]:
        return f"requires {absent[0]!r}, which is not in the plan"
    others = [other for other in chosen if other.step != step.name]
    if missing := _missing_beside(problem.left, option, others):
        return f"does not fit beside the rest: {shortfall(missing)}"
    for rival in chosen:
        if rival.step == step.name:
            return f"{rival.name!r} was chosen for this step"
    if len(chosen) >= problem.max_steps:
        return f"the plan has its {problem.max_steps} steps"
    return "the chosen options are worth more together without it"


def _missing_beside(
    left: Budget, option: StepOption, others: Sequence[StepOption]
) -> dict[str, int]:
    spend: Spend = total(other.estimate for other in others) + option.estimate
    return left.exceeded_by(spend)
