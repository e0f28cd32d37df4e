"""What is reserved for a model call, in every account that it is booked in, and how that ends."""

from dataclasses import dataclass, replace

from thrifty.budget import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    LedgerUnavailable,
    Spend,
    ThriftyError,
)
from thrifty.budget.plain_text import single_line
from thrifty.ledger.act_input import TAG_LENGTH_MAX
from thrifty.ledger.idempotent_calls import (
    charge_call_in_full,
    find_later_answer,
    find_or_reserve,
    give_up_call,
    release_call,
    settle_call,
    try_mark_sent,
)
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import MODEL_TAG, Balance, Entry
from thrifty.models.calls.allowance import Allowance
from thrifty.models.calls.call_cost import CallCost
from thrifty.models.calls.current_account import booking_place, enclosing_account
from thrifty.models.calls.first_hold import WHOLE, HoldTerms, is_room_short
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.calls.waiting_calls import waiting_calls
from thrifty.models.costs.output_lengths import AnswerKind, output_lengths
from thrifty.models.costs.prices import Charge, PriceList
from thrifty.models.costs.unseen_input import unseen_input
from thrifty.models.costs.usage import Usage
from thrifty.models.providers.request import MeteredRequest
from thrifty.models.providers.vendor_request import CallBounds


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation, and what goes out with it."""

    entry: Entry
    limits: Budget
    """What limits its account, as it was when this was reserved."""
    cap: int = 0
    """The output cap that it pays for."""
    outer_key: str = ""
    """Its key in the account of the step around the call, where there is one."""
    is_first_hold: bool = False
    """Whether it holds less than fits, as callers compete."""


class CallAccounts:
    """The accounts of one request: its own, and that of the step in whose executor it is made.

    Every method asks the ledger, and so may wait for a disk.

    Args:
        request: what is asked.
        bounds: what bounds it, whatever is left.
        prices: what it costs.
        allowance: what it may use, and where it is booked.
        outer: of the step around it, where that has an account of its own: the call is booked in
            both, so that every limit in force holds it.
    """

    def __init__(
        self,
        request: MeteredRequest,
        bounds: CallBounds,
        prices: PriceList,
        allowance: Allowance,
        outer: StepAccount | None,
    ) -> None:
        self.request, self.allowance = request, allowance
        self._booked_in = allowance.ledger, allowance.account
        self._outer = outer
        cap_max = min(request.cap_wanted or bounds.output_tokens_max, bounds.output_tokens_max)
        of_vendor = prices.of_vendor(request.listed_as)
        self.cost = CallCost(request, of_vendor, cap_max, allowance.last_answer)
        """What it can cost at most, and what it has cost."""
        self._kind = AnswerKind(request.address, request.model, allowance.label)
        useful = max(allowance.useful_tokens, request.cap_min)
        self._cap_least = min(useful, request.cap_wanted or useful)
        """The shortest useful answer. Where the caller wants a shorter one, that is useful."""

    @classmethod
    def of(
        cls, request: MeteredRequest, bounds: CallBounds, prices: PriceList, allowance: Allowance
    ) -> "CallAccounts":
        """Those of a request that is made in this context."""
        ledger, account = booking_place(allowance.ledger, allowance.account)
        allowance = replace(allowance, ledger=ledger, account=account)
        return cls(request, bounds, prices, allowance, enclosing_account(ledger, account))

    @property
    def ledgers(self) -> tuple[Ledger, ...]:
        """The ledgers that are asked: its own, and those of the steps around it."""
        ledgers, step = [self.allowance.ledger], self._outer
        while step is not None:
            ledgers.append(step.ledger)
            step = step.parent
        return tuple(ledgers)

    def left_ms(self) -> int | None:
        """How much time is left now; None without a limit."""
        allowance = self.allowance
        return allowance.left_ms(allowance.ledger.balance(allowance.account).budget)

    def reserve(
        self, after: Entry | None, hold: HoldTerms = WHOLE, *, can_wait: bool = False
    ) -> Reservation | None:
        """Reserves the longest answer that fits, or finds what became of the call before.

        Args:
            after: the entry of an earlier attempt that was charged, to go on after.
            hold: how much it may hold.
            can_wait: whether the caller can wait for what others hold.

        Returns:
            The reservation, or None where it is worth waiting.

        Raises:
            ThriftyError: why it was refused; see `MeteredCall.ask`.
        """
        tried: Budget | None = None
        least = max(self._cap_least, min(hold.least, self.cost.cap_max))
        # Others may reserve between the look at what is left and the reservation. Then there is
        # less, and a shorter answer is tried, down to the least that is useful.
        while True:
            balance = self.allowance.ledger.balance(self.allowance.account)
            budget, left = self._limits(balance)
            most = max(least, self._cap_most(hold, left, balance))
            if can_wait and self._is_worth_waiting(least, most, left, balance):
                return None
            cap = min(most, self.cost.largest_cap(left))
            worst_case = self.allowance.limit or self.cost.worst_case(max(cap, least), budget)
            is_last = cap <= least or left == tried
            tried = left
            if (entry := self._reserve_entry(worst_case, after, is_last=is_last)) is None:
                continue
            if entry.status != "unsent":
                return Reservation(entry, balance.budget)
            is_new = entry.reserved == worst_case
            try:
                if not is_new:  # it is older than this call, whose answer has to fit in it
                    left = self._tighten(budget.limited_to(entry.reserved))
                    cap = self.cost.largest_cap(left)
                cap = max(cap, least)
                outer_key = self._check(budget, left, cap)
            except ThriftyError as error:
                self._release_unsent(entry)
                if is_new or not isinstance(error, BudgetExceeded):
                    raise  # else there is room now for a reservation of this call's own
            else:
                is_first_hold = is_new and cap == most < self.cost.cap_max
                return Reservation(entry, balance.budget, cap, outer_key, is_first_hold)

    def mark_sent(self, reservation: Reservation) -> bool:
        """Marks the call as sent; False where another has done that, so that it is not ours."""
        is_first = False
        try:
            is_first = try_mark_sent(*self._booked_in, reservation.entry)
        except LedgerUnavailable:  # it does not leave, though nobody knows whether it is marked
            give_up_call(*self._booked_in, reservation.entry)
            raise
        finally:
            if self._outer is not None and not is_first:
                self._outer.release(reservation.outer_key)
        return is_first

    def may_be_cut(self, reservation: Reservation, usage: Usage | None) -> bool:
        """Whether the answer may be as short as it is because of what was left, and no more."""
        is_derived = reservation.cap < self.cost.cap_max
        return is_derived and (usage is None or usage.output_tokens >= reservation.cap)

    def note_length(self, usage: Usage, *, is_cut: bool) -> None:
        """Takes note of how long the answer is that the call ends with."""
        output_lengths.note(self._kind, usage.output_tokens, is_cut=is_cut)

    def later_answer(self, entry: Entry) -> Entry | None:
        """The entry of the same call, asked once more and answered; None where it was not."""
        return find_later_answer(*self._booked_in, self.allowance.key, entry)

    def charge(self, usage: Usage, reservation: Reservation) -> Charge:
        """What is to be charged for what the call has used."""
        return self.cost.charge(usage, reservation.entry.reserved)

    def settle(
        self, usage: Usage, reservation: Reservation, latency_ms: int, answer: str = ""
    ) -> Entry:
        """Charges what the call has used, and keeps its answer."""
        entry, cost = reservation.entry, self.charge(usage, reservation).cost_nano_usd
        asked = self.request
        most = asked.uses.input_tokens(asked.input_tokens, reservation.cap)
        unseen_input.note(asked.address, asked.model, most, usage.input_tokens)
        try:
            actual = Spend(usage.tokens, cost, latency_ms, tool_calls=1)
        except InvalidInput:  # more than any account can hold
            return self.charge_in_full(reservation, latency_ms)
        if self._outer is not None:
            self._outer.settle(reservation.outer_key, actual)
        return settle_call(*self._booked_in, entry, actual, answer)

    def charge_in_full(self, reservation: Reservation, latency_ms: int) -> Entry:
        """Charges all that was reserved, since nobody knows what the call cost."""
        if self._outer is not None:
            self._outer.charge_in_full(reservation.outer_key, latency_ms)
        return charge_call_in_full(*self._booked_in, reservation.entry, latency_ms)

    def release(self, reservation: Reservation) -> Entry:
        """Frees what was reserved for a call that was certainly not billed."""
        if self._outer is not None:
            self._outer.release(reservation.outer_key)
        return release_call(*self._booked_in, reservation.entry)

    def _reserve_entry(
        self, worst_case: Spend, after: Entry | None, *, is_last: bool
    ) -> Entry | None:
        """The entry, or None where something smaller may still fit."""
        allowance, digest = self.allowance, self.request.digest
        named = *self._booked_in, allowance.key, allowance.label
        try:
            tags = _model_tag(self.request.model)
            return find_or_reserve(*named, worst_case, digest, after, tags)
        except BudgetExceeded as error:
            if allowance.limit or is_last or not {"tokens", "cost"} & error.missing.keys():
                raise
            return None

    def _check(self, budget: Budget, left: Budget, cap: int) -> str:
        """Looks whether the call is within what was reserved, and reserves in the outer account.

        Returns:
            The key there; empty without such an account.
        """
        self.request.check_bounded(budget)
        worst_case = Spend(self.cost.read_tokens(cap) + cap, tool_calls=1)
        if self._outer is not None or budget.max_cost_usd is not None:
            worst_case = self.cost.worst_case(cap, budget)  # else nobody asks for its price
        if missing := left.exceeded_by(worst_case + self.cost.kept_back(left)):
            raise BudgetExceeded(missing, self.allowance.label)
        if self._outer is None:
            return ""
        self._outer.note_metered()
        return self._outer.reserve(self.allowance.label, worst_case, (self._booked_in,))

    def _release_unsent(self, entry: Entry) -> None:
        """Gives a reservation back, unless another has found it and sends under it."""
        if try_mark_sent(*self._booked_in, entry):
            release_call(*self._booked_in, entry)

    def _limits(self, balance: Balance) -> tuple[Budget, Budget]:
        """What limits the call at all, and how much of it is left for this attempt."""
        budget, limit = balance.limits, self.allowance.limit
        if limit is None:
            left = balance.left
        else:
            cost = None if budget.max_cost_usd is None else limit.cost_nano_usd
            left = Budget.of_limits((limit.tokens, cost, None, None))
        if self._outer is None:
            return budget, left
        return budget.tightest_with(self._outer.budget), left.tightest_with(self._outer.left)

    def _tighten(self, left: Budget) -> Budget:
        return left if self._outer is None else left.tightest_with(self._outer.left)

    def _cap_most(self, hold: HoldTerms, left: Budget, balance: Balance) -> int:
        """The longest answer that is held: where callers compete, one that is enough for most."""
        whole, allowance = self.cost.cap_max, self.allowance
        if not hold.can_be_cut or allowance.limit is not None or allowance.hold_quantile >= 1:
            return whole
        is_held = balance.left != balance.unspent
        if not (is_held or waiting_calls.is_any(allowance.ledger, balance)):
            return whole  # nobody competes
        learned = output_lengths.quantile(self._kind, allowance.hold_quantile)
        if learned is None or not is_room_short(left, self._needed(whole, left)):
            return whole
        return min(whole, max(learned + 1, self._cap_least))  # one more, in which it can end

    def _needed(self, cap: int, left: Budget) -> Spend:
        return self.cost.worst_case(cap, left) + self.cost.kept_back(left)

    def _is_worth_waiting(self, least: int, most: int, left: Budget, balance: Balance) -> bool:
        """Whether the longest answer does not fit, and others may make room for a useful one."""
        if self.allowance.limit is not None:
            return False  # the attempt reserves its own limit, whatever others set free
        freed = self._tighten(balance.unspent)
        fits, may_fit = self._needed(most, left), self._needed(least, freed)
        return freed != left and not left.covers(fits) and freed.covers(may_fit)


def _model_tag(model: str) -> dict[str, str]:
    """The tag under which a call is counted for its model, however that is called."""
    name = single_line(model)[:TAG_LENGTH_MAX]
    return {MODEL_TAG: name} if name else {}
