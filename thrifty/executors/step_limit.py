"""How much a step, or one model call for it, may use at most. That is then reserved.

A model call gets what it sends, which is counted, and room for its answer. The room is several
times the expected answer where the budget has it, so that a long one is not cut, but not
everything that is left, so that a call whose outcome is never known (and which is charged in
full) does not end the run.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from thrifty.budget import Budget, BudgetExceeded, Spend, StepOption
from thrifty.executors.registry import LOCAL, MODEL_EXECUTORS
from thrifty.models.costs.hosted_uses import NO_USES, HostedUses
from thrifty.models.costs.prices import PriceList, most_affordable

OUTPUT_HEADROOM = 4
"""An answer may be at most so many times as long as expected."""
ANSWER_DIVISOR = 3
"""An answer to a conversation may take a third of what its run was given, by a model or by an
agent: the rest is there for another attempt, and for another model after that."""
AGENT_HEADROOM = 3
"""An agent may use so many times what is expected of it, where a third is not more."""
AGENT_TOKENS_MOST = 10**9
"""More are never given."""


@dataclass(frozen=True, slots=True)
class CallSize:
    """One model call before it is known how long its answer may be."""

    model: str
    """Who would be asked."""
    input_tokens: int
    """The most input tokens that it can be billed."""
    output_least: int
    """The shortest answer for which it is worth sending."""
    output_expected: int
    """How long the answer is expected to be: room is measured from that."""
    output_most: int = 0
    """How long it may be however long it is expected to be, where its run was given so much."""
    uses: HostedUses = NO_USES
    """What may be used for it at the provider: the model reads all anew after each."""


WorstCase = Callable[[int], Spend]
"""What a call comes to at most with so many tokens of output."""


def call_limit(
    option: StepOption,
    size: CallSize,
    left: Budget,
    prices: PriceList,
    latency_ms: int = 0,
    given: Budget | None = None,
) -> Spend:
    """The most that one model call for an option may use, out of what is left.

    Args:
        option: what the call is for.
        size: what it sends, and the answer that it is worth.
        left: what may still be reserved, and the latency that is left.
        prices: what it costs.
        latency_ms: how long it is expected to take.
        given: the run's own limits, where they are others than what is left.

    Raises:
        BudgetExceeded: what is left does not hold the shortest answer, by so much.
        PriceUnknown: money is limited and the model has no price.
    """
    is_priced = left.max_cost_usd is not None or prices.knows(size.model)

    def worst_case(output_tokens: int) -> Spend:
        # Where money has no limit, a known price is on the bill all the same.
        read = size.uses.input_tokens(size.input_tokens, output_tokens)
        cost = 0
        if is_priced:
            cost = prices.worst(size.model, read, output_tokens) + size.uses.fees_nano_usd_max
        calls = max(1, option.estimate.tool_calls)  # the call is one
        return Spend(read + output_tokens, cost, 0, calls)

    room = _answer_room(size.output_most, given or left, left, worst_case)
    wanted = max(size.output_expected * OUTPUT_HEADROOM, room)
    return _most(option, size.output_least, wanted, left, worst_case, latency_ms)


def _answer_room(most: int, given: Budget, left: Budget, worst_case: WorstCase) -> int:
    """How many tokens of output a third of a run's limits holds. What is shared gives none."""
    limits = zip(given.limits[:2], left.limits[:2], strict=True)
    if not most or any(own is None and now is not None for own, now in limits):
        return 0
    thirds = (None if own is None else own // ANSWER_DIVISOR for own in given.limits)
    return affordable_tokens(most, Budget.of_limits(thirds), worst_case)


def agent_limit(
    option: StepOption,
    expected: Spend,
    left: Budget,
    model: str,
    prices: PriceList,
    fees_nano_usd: int = 0,
    given: Budget | None = None,
) -> Spend:
    """The most that an agent may use: several times what it declares, in tokens and in calls, or
    the share of its run's limits that any answer may take.

    Nobody knows how often it asks its model, nor how its tokens fall on input and output. Fees grow
    with its tokens, as calls do.

    Args:
        option: as it is declared.
        expected: what bills so far let it be expected to use.
        left: what may still be reserved, and the latency that is left.
        model: the model that it asks.
        prices: what that costs.
        fees_nano_usd: what each of its calls costs at most beside its tokens.
        given: the run's own limits, where they are others than what is left.

    Raises:
        BudgetExceeded: what is left does not hold what is expected, by so much.
        PriceUnknown: money is limited and the model has no price.
    """
    is_priced = left.max_cost_usd is not None or prices.knows(model)
    calls = max(1, expected.tool_calls)

    def worst_case(tokens: int) -> Spend:
        if not is_priced:
            return Spend(tokens, 0, 0, calls)
        fees = -(-calls * tokens // max(1, expected.tokens)) * fees_nano_usd
        return Spend(tokens, prices.worst_quote(model, tokens) + fees, 0, calls)

    given = given or left
    is_bounded = any(limit is not None for limit in given.limits[:2])
    room = _answer_room(AGENT_TOKENS_MOST if is_bounded else 0, given, left, worst_case)
    wanted = max(max(expected.tokens, option.estimate.tokens) * AGENT_HEADROOM, room)
    limit = _most(option, expected.tokens, wanted, left, worst_case, expected.latency_ms)
    share = 0 if given.max_tool_calls is None else given.max_tool_calls // ANSWER_DIVISOR
    calls_most, calls_left = max(calls * AGENT_HEADROOM, share), left.max_tool_calls
    return replace(
        limit, tool_calls=calls_most if calls_left is None else min(calls_most, calls_left)
    )


def _most(
    option: StepOption,
    least: int,
    wanted: int,
    left: Budget,
    worst_case: WorstCase,
    latency_ms: int,
) -> Spend:
    """The worst case of as many tokens as are wanted and fit.

    Raises:
        BudgetExceeded: not even that of the least fits, by so much.
    """
    if missing := left.exceeded_by(replace(worst_case(least), latency_ms=latency_ms)):
        raise BudgetExceeded(missing, option.name)
    return worst_case(
        affordable_tokens(max(least, wanted), left, worst_case)
    )  # time is cut, not reserved


def affordable_tokens(tokens: int, left: Budget, worst_case: WorstCase) -> int:
    """As many of these tokens as fit: none where not even the input does."""
    tokens_left, cost_left, _, _ = left.limits
    if tokens_left is not None:
        unwritten = worst_case(0).tokens
        # What is written before a search is read again after it.
        room = max(0, tokens_left - unwritten)
        tokens = min(tokens, room // (worst_case(1).tokens - unwritten))
    if cost_left is not None:
        tokens = most_affordable(tokens, cost_left, lambda n: worst_case(n).cost_nano_usd)
    return tokens


def declared_limit(option: StepOption, expected: Spend, left: Budget) -> Spend:
    """The most that an option may use that no model does.

    The built-in templates reserve nothing. Other executors get what their option declares, or
    more where bills came to more, since nothing can cut them short.

    Raises:
        BudgetExceeded: what is left, latency included, does not hold that.
    """
    needed = least_needed(option, expected)
    if missing := left.exceeded_by(needed):
        raise BudgetExceeded(missing, option.name)
    return replace(needed, latency_ms=0)  # time is cut, not reserved


def least_needed(option: StepOption, expected: Spend) -> Spend:
    """The least that has to be there for an option to be tried.

    Args:
        option: as its recipe declares it.
        expected: what bills so far let it be expected to use.
    """
    if option.executor in MODEL_EXECUTORS:
        return expected
    if option.executor == LOCAL:  # it uses time and nothing else, whatever it declares of tokens
        return Spend(latency_ms=expected.latency_ms)
    pairs = zip(expected.amounts, option.estimate.amounts, strict=True)
    return Spend(*(max(pair) for pair in pairs))
