"""What each task is given to spend, by rule, from what its direct answer is estimated at.

The direct answer is that of the strong model without tools, estimated with all that it is sent:
its option as the planner has it (`Answer (strong)`). The option of a model that reasons has its
reasoning in it. A task with long documents is given more, and so is one that states a length, as
a person would: its answer counts as that long at least.

| budget | limit | what it is to show |
|---|---|---|
| `one_call` | the tokens of one direct answer | there is nothing to plan, and nobody is asked |
| `three_calls` | the tokens of three | a step or two compete with the answer itself |
| `generous` | the tokens of twenty-four | everything fits, so that only value decides |
| `money` | the dollars of three | the cheap model costs a fifth, so that roles compete |
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import ceil

from thrifty import Budget, StepOption, TokenPrice
from thrifty.budget.dollars import usd
from thrifty.budget.money import quote_nano_usd
from thrifty.models.costs.usage import Usage

HEADROOM = 1.5
"""A call is given its estimate and one standard deviation more (`priors.SPREAD` of it): a plan
keeps half of that free, and nothing else of that size fits in what is left."""
TOKENS_PER_WORD = 1.6
"""Of what is written: 1.3 in English, up to 2 in German."""
FEW_CALLS = 3
MANY_CALLS = 24
"""Each of the twelve steps that a plan may have, as long as an answer, and once more for what it
reads."""

STRONG = TokenPrice(Decimal("1.25"), Decimal(10))
CHEAP = TokenPrice(Decimal("0.25"), Decimal(2))
"""The list prices of gpt-5 and gpt-5-mini, from genai-prices in November 2026. Kept here so that
figures stay comparable when a list changes."""


def one_call(direct: StepOption, words: int | None = None) -> Budget:
    """Tokens for one direct answer.

    Args:
        direct: the direct answer of the strong model, estimated for the task.
        words: the length that the task states for its result.
    """
    return _tokens_of(1, direct, words)


def three_calls(direct: StepOption, words: int | None = None) -> Budget:
    """Tokens for three direct answers. Arguments as for `one_call`."""
    return _tokens_of(FEW_CALLS, direct, words)


def generous(direct: StepOption, words: int | None = None) -> Budget:
    """Tokens for all that a plan may hold. Arguments as for `one_call`."""
    return _tokens_of(MANY_CALLS, direct, words)


def money(direct: StepOption, words: int | None = None, price: TokenPrice = STRONG) -> Budget:
    """Dollars for three direct answers of the strong model, and any number of tokens.

    Args:
        direct: as for `one_call`.
        words: likewise.
        price: what the strong model costs.
    """
    usd_of_call = price.usd(_usage(direct, words))
    if usd_of_call is None:
        raise AssertionError("text has a price at any `TokenPrice`")
    return Budget(max_cost_usd=usd(quote_nano_usd(usd_of_call * FEW_CALLS * Decimal(HEADROOM))))


def _tokens_of(calls: int, direct: StepOption, words: int | None) -> Budget:
    return Budget(max_tokens=calls * ceil(_usage(direct, words).tokens * HEADROOM))


def _usage(direct: StepOption, words: int | None) -> Usage:
    """What a direct answer reads and writes."""
    written = direct.expected_output_tokens
    stated = ceil((words or 0) * TOKENS_PER_WORD)
    return Usage(direct.estimate.tokens - written, max(written, stated))


BUDGETS: Mapping[str, Callable[[StepOption, int | None], Budget]] = {
    "one call": one_call,
    "three calls": three_calls,
    "generous": generous,
    "money": money,
}
"""By name. Each is given the direct answer and the length that the task states, if any."""
