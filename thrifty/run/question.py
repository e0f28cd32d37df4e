"""What a person is asked, as plain data, and what the answer may say.

| answer | what happens |
|---|---|
| `"go"` | a plan that was shown is carried out; a budget that ran short is planned with as it is |
| `"finish"` | the run ends with what there is |
| `{"budget": {"max_tokens": 4000}}` | the named limits change, and the rest is planned anew |
| `{"leave_out": ["Timeline"]}` | the named steps or options are not done; both may be given |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from thrifty.budget import Budget, InvalidInput, Step, validate
from thrifty.budget.states import BudgetState, SpendState

GO, FINISH = "go", "finish"
ANSWER_FORMS = (
    'answer "go", "finish", {"budget": {"max_tokens": 4000}} or {"leave_out": ["Timeline"]}'
)


class OpenStep(TypedDict):
    """A step that is still to be done, as the plan has it."""

    step: str
    option: str
    executor: str
    value: float
    estimate: SpendState


class RaiseOffer(TypedDict):
    """What a larger budget would be good for."""

    budget: dict[str, int | float]
    """The limits to answer with: those that would have to change."""
    more: dict[str, int]
    """What they are more than now, by resource, in its unit."""
    value: float
    """By how much the remaining run would be worth more."""
    options: list[str]
    """What could be done then that cannot be done now."""


class Question(TypedDict):
    """What the interrupt of `approve` carries."""

    about: Literal["plan", "budget"]
    """A plan before anything is spent, or a budget that has run short."""
    question: str
    reason: str
    """The plan in a sentence, or what ran out."""
    budget: BudgetState
    spent: SpendState
    left: BudgetState
    to_do: list[OpenStep]
    missing: dict[str, int]
    """What the remaining plan lacks, by resource, in its unit. Empty for a plan."""
    buys: RaiseOffer | None
    """What a raise would be good for. None where nothing is missing."""
    answers: str
    error: NotRequired[str]
    """What was wrong with the last answer."""


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """A person's answer, read and checked."""

    finish: bool = False
    budget: Budget | None = None
    """The budget from now on. None when it stays."""
    leave_out: tuple[str, ...] = ()
    """Steps and options that are not to be done."""

    @property
    def summary(self) -> str:
        """What a person has decided, for the receipt."""
        if self.finish:
            return "a person chose to finish"
        limits = self.budget.limited_resources() if self.budget else ()
        told = ", ".join(resource.show(limit) for resource, limit in limits)
        budget = f"a person set the budget to {told}" if self.budget else ""
        left_out = f"a person left out {', '.join(self.leave_out)}" if self.leave_out else ""
        return " and ".join(filter(None, (budget, left_out))) or "a person said to go on"


def read_answer(given: object, budget: Budget, steps: Sequence[Step]) -> ApprovalAnswer:
    """Reads what a person answered.

    Args:
        given: as it came.
        budget: the limits in force.
        steps: all steps that there are.

    Raises:
        InvalidInput: it says none of what `ANSWER_FORMS` lists.
    """
    if given in (GO, FINISH):
        return ApprovalAnswer(finish=given == FINISH)
    if not isinstance(given, Mapping) or not given or set(given) - {"budget", "leave_out"}:
        raise InvalidInput("answer", given, ANSWER_FORMS)
    raised = budget.with_limits(given["budget"]) if "budget" in given else None
    return ApprovalAnswer(False, raised, _names(given.get("leave_out", ()), steps))


def _names(given: object, steps: Sequence[Step]) -> tuple[str, ...]:
    known = {step.name for step in steps} | {o.name for step in steps for o in step.options}
    names = validate.sequence("leave_out", given)
    for name in names:
        if name not in known:
            raise InvalidInput(
                "leave_out", name, f"name a step: {', '.join(step.name for step in steps)}"
            )
        if any(step.required and step.name == name for step in steps):
            raise InvalidInput("leave_out", name, "keep it: the recipe requires this step")
    return tuple(names)
