"""What a call costs at most, the longest answer that is afforded, and what one after it takes."""

from functools import cached_property
from typing import Any

from thrifty.budget import Budget, PriceUnknown, Spend
from thrifty.models.calls.last_answer import LastAnswer
from thrifty.models.costs.hosted_uses import NO_USES, HostedUses
from thrifty.models.costs.prices import Charge, PriceList, most_affordable
from thrifty.models.costs.unseen_input import unseen_input
from thrifty.models.costs.usage import Usage, read_usage
from thrifty.models.providers.request import MeteredRequest


class CallCost:
    """What one request costs.

    Args:
        request: what is asked.
        prices: of its vendor.
        cap_max: the longest answer that is asked for, however much is left.
        last_answer: what is kept back for an answer after it; None: nothing is.
    """

    def __init__(
        self,
        request: MeteredRequest,
        prices: PriceList,
        cap_max: int,
        last_answer: LastAnswer | None = None,
    ) -> None:
        self._request, self._price_list = request, prices
        self.cap_max, self._last_answer = cap_max, last_answer
        # A server may add more to a request than there is room for. Its bills say so.
        room = unseen_input.room(request.address, request.model)
        self.input_tokens = request.input_tokens + room
        """The most input tokens that it can be billed."""

    @cached_property
    def _prices(self) -> PriceList:
        """As they stand when the call first asks for one, until it is settled."""
        return self._price_list.pin()

    def largest_cap(self, left: Budget) -> int:
        """The longest answer that every resource left affords; below zero if no input fits.

        Raises:
            PriceUnknown: money is limited and the call has no price.
        """
        kept = self.kept_back(left)
        tokens_left, cost_left, _, _ = left.limits
        cap = self.cap_max
        if tokens_left is not None:
            left_for_it = tokens_left - kept.tokens
            cap = min(cap, self._request.uses.cap_within(left_for_it, self.input_tokens))
        if cost_left is not None and cap > 0:
            cost_left = max(0, cost_left - kept.cost_nano_usd)
            cap = most_affordable(cap, cost_left, lambda some: self.worst_case(some).cost_nano_usd)
        return cap

    def worst_case(self, cap: int, budget: Budget | None = None) -> Spend:
        """The most that the call can use with an output cap.

        Args:
            cap: the output cap.
            budget: under which no price is needed, where it limits no money.

        Raises:
            PriceUnknown: its price is needed and unknown.
        """
        return self._worst_case(self.input_tokens, cap, budget, self._request.uses)

    def read_tokens(self, cap: int) -> int:
        """All that it can read with an output cap: tools at the provider have it read anew."""
        return self._request.uses.input_tokens(self.input_tokens, cap)

    def kept_back(self, budget: Budget) -> Spend:
        """What is left alone for an answer after this one, which reads the same and more.

        It is asked for without tools.

        Args:
            budget: under which no price is needed, where it limits no money.

        Raises:
            PriceUnknown: its price is needed and unknown.
        """
        if self._last_answer is None:
            return Spend()
        return self._worst_case(self.input_tokens, self._tokens_of(self._last_answer), budget)

    def note_last_answer(self, message: Any, cap: int) -> None:
        """Notes what an answer takes that comes after the one to this call.

        Args:
            message: that one.
            cap: its output cap.
        """
        if (last := self._last_answer) is None:
            return
        usage = read_usage(message)
        said = self.input_tokens + cap if usage is None else usage.tokens
        try:
            last.needed = self._worst_case(said, self._tokens_of(last))
        except PriceUnknown:  # then no money is limited
            last.needed = self._worst_case(said, self._tokens_of(last), Budget())

    def charge(self, usage: Usage, reserved: Spend) -> Charge:
        """What is to be charged for what the call has used.

        Args:
            usage: what it has used.
            reserved: what was held for it.
        """
        request, held = self._request, reserved.cost_nano_usd
        fees = request.uses.fees_nano_usd(usage.uses)
        return self._prices.charge(request.model, usage, held, request.tier, fees)

    def _worst_case(
        self,
        input_tokens: int,
        cap: int,
        budget: Budget | None = None,
        uses: HostedUses = NO_USES,
    ) -> Spend:
        request, read = self._request, uses.input_tokens(input_tokens, cap)
        try:
            sound = request.audio_tokens * (uses.most + 1)
            cost = self._prices.worst(request.model, read, cap, request.tier, sound)
            cost += uses.fees_nano_usd_max
        except PriceUnknown:
            if budget is None or budget.max_cost_usd is not None:
                raise
            cost = 0
        return Spend(read + cap, cost, tool_calls=1)

    def _tokens_of(self, last: LastAnswer) -> int:
        return min(max(last.output_tokens, self._request.cap_min), self.cap_max)
