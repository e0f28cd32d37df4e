"""How much a step, or one model call for it, may use at most. That is then reserved.

A call gets several times its estimate where the budget has it, so that a long answer is not
cut, but not everything that is left, so that a call whose outcome is never known (and which
is charged in full) does not end the run.
"""

from dataclasses import replace
from functools import partial

from thrifty.budget import Budget, BudgetExceeded, Spend, StepOption
from thrifty.executors.registry import AGENT, LOCAL, MODEL_EXECUTORS
from thrifty.models.prices import PriceList, most_affordable

HEADROOM = 3
"""A call may use at most so many times its estimate."""


def step_limit(
    option: StepOption, declared: Spend, left: Budget, model: str, prices: PriceList
) -> Spend:
    """The most that an option may use out of what is left.

    A model call gets its `call_limit`, the built-in templates nothing, and other executors what
    their option declares, or more where bills came to more, since nothing can cut them short.

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
    needed = least_needed(option, declared)
    if missing := left.exceeded_by(needed):
        raise BudgetExceeded(missing, option.name)
    if option.executor in MODEL_EXECUTORS:
        return call_limit(option, left, model, prices, declared.tokens)
    return replace(needed, latency_ms=0)  # time is cut, not reserved


def least_needed(option: StepOption, declared: Spend) -> Spend:
    """The least that has to be there for an option to be tried.

    The built-in templates use time and nothing else, whatever their estimates say of tokens.
    """
    if option.executor in MODEL_EXECUTORS:
        return option.estimate
    if option.executor == LOCAL:
        return Spend(latency_ms=option.estimate.latency_ms)
    pairs = zip(option.estimate.amounts, declared.amounts, strict=True)
    return Spend(*(max(pair) for pair in pairs))


def call_limit(
    option: StepOption, left: Budget, model: str, prices: PriceList, declared_tokens: int = 0
) -> Spend:
    """The most that one model call for this option may use, out of what is left.

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
    tokens = max(option.estimate.tokens, declared_tokens) * HEADROOM
    if tokens_left is not None:
        tokens = min(tokens, tokens_left)
    cost = 0
    if cost_left is not None:
        tokens = most_affordable(tokens, cost_left, partial(prices.worst_quote, model))
    # Where money has no limit, a known price is on the bill all the same.
    if cost_left is not None or prices.knows(model):
        cost = prices.worst_quote(model, tokens)
    if tokens < option.estimate.tokens:
        raise BudgetExceeded(_missing(option.estimate.tokens, left, model, prices), option.name)
    limit = Spend(tokens, cost, 0, _calls(option, left))
    if missing := left.without_latency().exceeded_by(limit):  # time is cut, not reserved
        raise BudgetExceeded(missing, option.name)
    return limit


def _missing(tokens: int, left: Budget, model: str, prices: PriceList) -> dict[str, int]:
    """What a call of so many tokens lacks: tokens, or the money for them, or both."""
    is_cost_limited = left.max_cost_usd is not None
    cost = prices.worst_quote(model, tokens) if is_cost_limited else 0
    return left.exceeded_by(Spend(tokens, cost))


def _calls(option: StepOption, left: Budget) -> int:
    """A model is called once. An agent may call more than is expected of it."""
    expected, calls_left = max(1, option.estimate.tool_calls), left.max_tool_calls
    most = expected * (HEADROOM if option.executor == AGENT else 1)
    return most if calls_left is None else max(expected, min(most, calls_left))
