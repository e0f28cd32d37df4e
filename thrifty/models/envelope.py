"""How much one model call may use at the most: its envelope, which is then reserved.

A call gets several times its estimate where the budget has it, so that a long answer is not
cut, but not everything that is left, so that a call whose outcome is never known (and which
is charged in full) does not end the run.
"""

from dataclasses import replace

from thrifty.budget import Budget, BudgetExceeded, Spend, StepOption
from thrifty.budget.spend import SPEND_FIELDS
from thrifty.models.prices import PriceList, most_affordable

HEADROOM = 3
"""An envelope is at most so many times the estimate."""


def envelope(
    option: StepOption, left: Budget, model: str, prices: PriceList, declared_tokens: int = 0
) -> Spend:
    """The most that one call for this option may use, out of what is left.

    Args:
        option: its estimate is the least that makes a call worth sending.
        left: what may still be reserved.
        model: the model that would be called.
        prices: what it costs.
        declared_tokens: what the catalog says, where the estimate is a forecast: headroom is
            measured from the larger one.

    Raises:
        BudgetExceeded: what is left does not even hold the estimate.
        PriceUnknown: money is limited and the model has no price.
    """
    tokens_left, cost_left, _, _ = left.limits
    wanted = max(option.estimate.tokens, declared_tokens) * HEADROOM
    tokens = wanted if tokens_left is None else min(wanted, tokens_left)
    cost = 0
    if cost_left is not None:
        tokens = affordable_tokens(tokens, cost_left, model, prices)
    if cost_left is not None or prices.knows(model):
        cost = prices.worst_quote(model, tokens)
    calls = max(1, option.estimate.tool_calls)
    if tokens < option.estimate.tokens:
        raise BudgetExceeded({SPEND_FIELDS[0]: option.estimate.tokens - tokens}, option.name)
    if missing := left.without_latency().exceeded_by(Spend(tokens, cost, 0, calls)):
        raise BudgetExceeded(missing, option.name)
    return Spend(tokens, cost, 0, calls)


def affordable_tokens(tokens: int, cost_nano_usd: int, model: str, prices: PriceList) -> int:
    """The most tokens, up to `tokens`, whose worst price is within `cost_nano_usd`."""
    return most_affordable(tokens, cost_nano_usd, lambda some: prices.worst_quote(model, some))


INPUT_SHARE = 0.25
"""How much of an estimate in tokens is input, where a price needs to know."""


def with_cost(option: StepOption, model: str, prices: PriceList) -> StepOption:
    """The option with its estimated cost filled in from the price of the model, unless it has one.

    Raises:
        PriceUnknown: neither the catalog nor a price list says what it would cost.
    """
    if option.estimate.cost_nano_usd:
        return option
    tokens_in = round(option.estimate.tokens * INPUT_SHARE)
    cost = prices.quote(model, tokens_in, option.estimate.tokens - tokens_in)
    return replace(option, estimate=replace(option.estimate, cost_nano_usd=cost))
