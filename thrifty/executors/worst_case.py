"""What has to be reserved before an option is carried out."""

from dataclasses import replace

from thrifty.budget import Budget, BudgetExceeded, Spend, StepOption
from thrifty.executors.registry import LLM
from thrifty.models.envelope import envelope
from thrifty.models.prices import PriceList


def worst_case(option: StepOption, left: Budget, model: str, prices: PriceList) -> Spend:
    """The most that an option may use out of what is left.

    A model call gets an envelope around its estimate; other executors what their option
    declares, since nothing can cut them short.

    Raises:
        BudgetExceeded: what is left, latency included, does not hold the estimate.
        PriceUnknown: money is limited and the model has no price.
    """
    if missing := left.exceeded_by(option.estimate):
        raise BudgetExceeded(missing, option.name)
    if option.executor == LLM:
        return envelope(option, left, model, prices)
    return replace(option.estimate, latency_ms=0)
