"""What can be had at all, and at what price: the menu of options under the terms of a run."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from thrifty.budget import LeftOut, PriceUnknown, Step, StepOption
from thrifty.executors.payload import model_of
from thrifty.executors.registry import LLM, LOCAL
from thrifty.executors.step_limit import with_cost
from thrifty.models.prices import PriceList
from thrifty.planning.forecast import Doer
from thrifty.planning.menu import Barred, menu

OFFLINE = "offline: no key and no server"


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides whether a model can be asked, and what it costs."""

    model: str
    """The model of options that name none of their own."""
    prices: PriceList
    is_offline: bool
    limits_cost: bool
    """Whether money is limited: then what has no price cannot be had."""

    def model_of(self, option: StepOption) -> str:
        """The model that would carry out an option."""
        return model_of(option, self.model)

    def doer(self, option: StepOption) -> Doer:
        """Who would carry out an option."""
        is_llm = option.executor == LLM
        return Doer(option.executor, self.model_of(option) if is_llm else "")

    def by(self, option: StepOption) -> str:
        """Who would carry out an option, for a person."""
        return "the local template" if option.executor == LOCAL else str(self.doer(option))

    def why_not(self, option: StepOption) -> str:
        """Why an option cannot be had under these terms; empty when it can."""
        if option.executor != LLM:
            return ""
        if self.is_offline:
            return OFFLINE
        return self.prices.why_unknown(self.model_of(option)) if self.limits_cost else ""

    def priced(self, option: StepOption) -> StepOption:
        """The option with its cost filled in, where money counts and a price is known."""
        if not self.limits_cost or option.executor != LLM:
            return option
        try:
            return with_cost(option, self.model_of(option), self.prices)
        except PriceUnknown:
            return option


def priced(steps: Iterable[Step], terms: Terms) -> tuple[Step, ...]:
    """The steps, what models would do in them priced."""
    if not terms.limits_cost:
        return tuple(steps)
    return tuple(step.with_options(tuple(map(terms.priced, step.options))) for step in steps)


def offer(
    steps: Iterable[Step], terms: Terms, barred: Barred = lambda option: ""
) -> tuple[tuple[Step, ...], tuple[LeftOut, ...]]:
    """What can be chosen, and what cannot and why.

    Args:
        steps: what is still to be done, priced.
        terms: what models can be asked.
        barred: further reasons, such as that an option has failed before.
    """
    return menu(steps, lambda option: barred(option) or terms.why_not(option))


def hopeless(
    steps: Iterable[Step],
    offered: Iterable[Step],
    left_out: Sequence[LeftOut],
    finished: Collection[str] = (),
) -> str:
    """Why no plan is one: a step that is required cannot be had, or no step at all; else empty.

    Args:
        steps: all that there are.
        offered: those of them that can be had.
        left_out: what cannot, and why.
        finished: the names of those that are done.
    """
    possible = {step.name for step in offered}.union(finished)
    for step in steps:
        if step.required and step.name not in possible:
            why = _why(each for each in left_out if each.step == step.name)
            return f"the required step {step.name!r} cannot be done: {why}"
    return f"nothing can be done: {_why(left_out)}" if left_out and not possible else ""


def _why(left_out: Iterable[LeftOut]) -> str:
    return "; ".join(dict.fromkeys(each.reason for each in left_out))
