"""What has to be reserved before an option is carried out."""

from dataclasses import replace

from thrifty.budget import Budget, BudgetExceeded, Spend, StepOption
from thrifty.executors.registry import LLM, LOCAL
from thrifty.models.envelope import envelope
from thrifty.models.prices import PriceList


def worst_case(
    option: StepOption, declared: Spend, left: Budget, model: str, prices: PriceList
) -> Spend:
    """The most that an option may use out of what is left.

    A model call gets an envelope around its estimate, the built-in templates nothing, and other
    executors what their option declares, or more where more has been seen, since nothing can
    cut them short.

    Args:
        option: as it is estimated now.
        declared: what the catalog says that it uses.
        left: what may still be reserved, and the latency that is left.
        model: the model that would be called.
        prices: what it costs.

    Raises:
        BudgetExceeded: what is left, latency included, does not hold that, or a call's estimate.
        PriceUnknown: money is limited and the model has no price.
    """
    needed = least(option, declared)
    if missing := left.exceeded_by(needed):
        raise BudgetExceeded(missing, option.name)
    if option.executor == LLM:
        return envelope(option, left, model, prices, declared.tokens)
    return replace(needed, latency_ms=0)


def least(option: StepOption, declared: Spend) -> Spend:
    """The least that has to be there for an option to be tried.

    The built-in templates use time and nothing else, whatever their estimates say of tokens.
    """
    if option.executor == LLM:
        return option.estimate
    if option.executor == LOCAL:
        return Spend(latency_ms=option.estimate.latency_ms)
    pairs = zip(option.estimate.amounts, declared.amounts, strict=True)
    return Spend(*(max(pair) for pair in pairs))
