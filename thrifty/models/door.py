"""The one door: every call to a model is reserved, capped, sent, cut at its deadline and settled.

Nothing leaves before its worst case is reserved, and every way out of a call passes through
`settle`, `charge_in_full` or `release`. All of it happens on the background loop, whoever waits
and however; the ledger, which may have to wait for a disk, is asked in threads beside it.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from thrifty.budget import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    ModelUnavailable,
    PriceUnknown,
    Spend,
    ThriftyError,
)
from thrifty.budget.resources import LATENCY
from thrifty.ledger.booking import charged_in_full, entry_for, released, sent, settled
from thrifty.ledger.forks import once_a_process
from thrifty.ledger.protocol import Entry
from thrifty.models import journal
from thrifty.models.allowance import Allowance
from thrifty.models.background import Abandoned, Emit, background_loop
from thrifty.models.call import Call
from thrifty.models.failures import Failure, read_failure
from thrifty.models.observed import observed
from thrifty.models.patience import patiently
from thrifty.models.prices import PriceList
from thrifty.models.spans import Tell
from thrifty.models.tab import Tab
from thrifty.models.usage import Usage, read_usage

T = TypeVar("T")

LEDGER_THREADS = 8
WAIT_MAX_MS = 60_000
"""How long a call without a limit on time is put off at most because the server asks for it."""
NANO_PER_MS = 1_000_000
ASKED_BEFORE = "it was asked before, and nobody knows what came of it"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call."""

    message: Any
    """The whole message, one of LangChain's; of a stream, merged."""
    entry: Entry
    """Its line on the bill."""
    is_replayed: bool = False
    """Whether it was paid before, and comes from the journal."""


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation, and what goes out with it."""

    entry: Entry
    cap: int = 0
    tab_key: str = ""
    """Its key in the tab of somebody else's code, where it runs in that."""


class Door:
    """One call on its way through.

    Args:
        call: what is asked.
        allowance: what it may use, and where it is booked.
        prices: what it costs.
        tab: of the executor in which it is made, where its own account is another: it is
            booked in both, so that every limit in force holds it.
        run: takes facts for LangChain's run of the call, where that is traced.
    """

    def __init__(
        self,
        call: Call,
        allowance: Allowance,
        prices: PriceList,
        tab: Tab | None = None,
        run: Tell | None = None,
    ) -> None:
        self._call, self._allowance, self._prices, self._tab = call, allowance, prices, tab
        self._run = run
        self._emitted = False

    async def ask(self, abandoned: asyncio.Event, emit: Emit | None = None) -> Answer:
        """Asks once, and again where that may help and the budget holds one more attempt.

        An answer that was paid before under the same key comes from the journal. A stream of
        which pieces were handed over is not begun again.

        Raises:
            BudgetExceeded: the worst case does not fit; nothing was sent.
            PriceUnknown: money is limited and the call has no price; nothing was sent.
            InvalidInput: limits are set, and the call has no bound; nothing was sent.
            ModelUnavailable: no usable answer; what the attempts cost is in the ledger.
        """
        failure: Failure | None = None
        unpaid: Entry | None = None
        for _ in range(self._allowance.attempts_max):
            if failure is not None and not await self._wait(failure, abandoned):
                break
            try:
                held, outcome = await self._observed(unpaid, abandoned, emit)
            except (BudgetExceeded, InvalidInput, PriceUnknown) as error:
                if failure is not None and isinstance(error, BudgetExceeded):
                    break  # how the first attempt failed says more than that a second does not fit
                if failure is None and self._allowance.refused:
                    self._allowance.refused(error)
                raise
            if isinstance(outcome, Answer):
                return outcome
            failure = outcome
            # A key that was released is free again: only what was charged needs another.
            unpaid = held.entry if failure.billed else unpaid
        assert failure is not None, "there is at least one attempt"
        raise ModelUnavailable(f"{self._call.model}: {failure.reason}", for_good=failure.for_good)

    async def _wait(self, failure: Failure, abandoned: asyncio.Event) -> bool:
        """Waits as long as the failure asks; False where that is no use or takes too long."""
        if failure.retry_after_ms is None or self._emitted:
            return False
        left_ms = await _booked(self._allowance.left_ms)
        if failure.retry_after_ms >= (WAIT_MAX_MS if left_ms is None else left_ms):
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(abandoned.wait(), failure.retry_after_ms / 1000)
        return not abandoned.is_set()

    async def _observed(
        self, after: Entry | None, abandoned: asyncio.Event, emit: Emit | None
    ) -> tuple[Held, Answer | Failure]:
        """Reserves and asks, and tells of it whoever records that."""
        with observed(self._call, self._allowance.label, self._run) as told:
            held = await self._held(after, abandoned)
            told.reserved(held.entry, held.cap)
            outcome = await self._attempt(held, abandoned, emit)
            if isinstance(outcome, Answer):
                told.answered(outcome.entry, outcome.message, is_replayed=outcome.is_replayed)
            elif told.tellers:
                look = self._allowance.ledger.entry
                entry = await _booked(look, self._allowance.account, held.entry.key)
                told.failed(entry or held.entry, outcome.reason)
            return held, outcome

    async def _attempt(
        self, held: Held, abandoned: asyncio.Event, emit: Emit | None
    ) -> Answer | Failure:
        entry = held.entry
        if entry.status == "settled" and entry.answer:
            return self._replayed(entry, emit)
        if entry.status != "unsent":
            return Failure(ASKED_BEFORE, billed=True, retry_after_ms=0)
        left_ms = await _booked(self._allowance.left_ms)
        due_ns = None if left_ms is None else time.monotonic_ns() + left_ms * NANO_PER_MS
        if not await _booked(self._is_ours_to_send, held):
            return Failure(ASKED_BEFORE, billed=True, retry_after_ms=0)
        if left_ms is not None and left_ms <= 0:
            await _booked(self._release, held)
            raise BudgetExceeded({LATENCY.name: 1 - left_ms}, self._allowance.label)
        if abandoned.is_set():
            await _booked(self._release, held)
            raise Abandoned
        started_ns = time.monotonic_ns()
        send = self._call.send(held.cap, None if emit is None else partial(self._emit, emit))
        try:
            generation = await background_loop().cut(send, due_ns, abandoned)
        except Abandoned:
            await _booked(self._charge_in_full, held, _since_ms(started_ns))
            raise
        except Exception as error:  # noqa: BLE001 - client and parser can raise anything
            return await _booked(self._book_failure, error, held, _since_ms(started_ns))
        return await _booked(self._book_answer, generation, held, _since_ms(started_ns))

    def _emit(self, emit: Emit, piece: Any) -> None:
        self._emitted = True
        emit(piece)

    def _replayed(self, entry: Entry, emit: Emit | None) -> Answer:
        from langchain_core.outputs import ChatGenerationChunk

        message = journal.read(entry.answer)
        if emit is not None:
            emit(ChatGenerationChunk(message=journal.as_chunk(message)))
        return Answer(message, entry, is_replayed=True)

    async def _held(self, after: Entry | None, abandoned: asyncio.Event) -> Held:
        """Reserves; before that it waits for what others hold, where it is patient."""
        look = partial(_booked, self._allowance.ledger.balance, self._allowance.account)
        hold = partial(_booked, self._hold, after)
        held = await patiently(self._allowance, abandoned, look, partial(hold, True))
        held = held or await hold(False)
        assert held is not None, "who is not patient is not asked to wait"
        return held

    def _hold(self, after: Entry | None, is_patient: bool) -> Held | None:
        """Reserves the longest answer that fits, or finds what became of the call before.

        Others may reserve between the look at what is left and the reservation; then there is
        less, and a shorter answer is tried, down to the least that is useful. None asks who is
        patient to wait.
        """
        tried: Budget | None = None
        while True:
            budget, left, hoped = self._budgets()
            if is_patient and self._is_worth_waiting(left, hoped):
                return None
            least, cap = self._least_cap(), self._call.largest_cap(left)
            worst_case = self._allowance.envelope or self._worst_case(max(cap, least), budget)
            entry = self._entry(worst_case, after, is_last=cap <= least or left == tried)
            tried = left
            if entry is None:
                continue
            if entry.status != "unsent":
                return Held(entry)
            is_new = entry.reserved == worst_case
            if not is_new:  # it is older than this call, which has to be within what it holds
                left = budget.limited_to(entry.reserved)
                left = left.tighter(self._tab.left) if self._tab else left
                cap = self._call.largest_cap(left)
            try:
                return self._checked(entry, budget, left, max(cap, least))
            except ThriftyError as error:
                self._release_unsent(entry)
                if is_new or not isinstance(error, BudgetExceeded):
                    raise  # else there is room now for a reservation of our own

    def _checked(self, entry: Entry, budget: Budget, left: Budget, cap: int) -> Held:
        self._call.check_bounded(budget)
        worst_case = self._worst_case(cap, budget)
        if missing := left.without_latency().exceeded_by(worst_case):
            raise BudgetExceeded(missing, self._allowance.label)
        if self._tab is None:
            return Held(entry, cap)
        self._tab.note_seen()
        return Held(entry, cap, self._tab.reserve(self._allowance.label, worst_case))

    def _entry(self, worst_case: Spend, after: Entry | None, is_last: bool) -> Entry | None:
        """The entry, or None where something smaller may still fit."""
        allowance, asked = self._allowance, self._call.digest
        try:
            return entry_for(
                allowance.ledger,
                allowance.account,
                allowance.key,
                allowance.label,
                worst_case,
                asked,
                after,
            )
        except BudgetExceeded as error:
            if allowance.envelope or is_last or not {"tokens", "cost"} & error.missing.keys():
                raise
            return None

    def _worst_case(self, cap: int, budget: Budget) -> Spend:
        return self._call.worst_case(cap, price_needed=budget.max_cost_usd is not None)

    def _least_cap(self) -> int:
        """The shortest useful answer: what the caller asked to be shorter is useful so."""
        useful = max(self._allowance.useful_tokens, self._call.least_cap)
        return min(useful, self._call.cap_wanted or useful)

    def _is_worth_waiting(self, left: Budget, hoped: Budget) -> bool:
        """Whether the longest answer does not fit, and others may make room for a useful one."""
        return (
            hoped != left
            and not self._worst_case(self._call.cap_max, left).within(left)
            and self._worst_case(self._least_cap(), hoped).within(hoped)
        )

    def _budgets(self) -> tuple[Budget, Budget, Budget]:
        """What limits the call at all, how much of it is left for this attempt, and how much
        could be, if all that others hold came back."""
        balance = self._allowance.ledger.balance(self._allowance.account)
        budget, left, hoped = balance.budget, balance.left, balance.unspent
        if (envelope := self._allowance.envelope) is not None:
            cost = envelope.cost_nano_usd if budget.max_cost_usd is not None else None
            left = hoped = Budget.of_limits((envelope.tokens, cost, None, None))
        if self._tab is not None:
            budget, left = budget.tighter(self._tab.budget), left.tighter(self._tab.left)
            hoped = hoped.tighter(self._tab.left)
        return budget, left, hoped

    def _book_failure(self, error: Exception, held: Held, latency_ms: int) -> Failure | Answer:
        """A failed attempt is free, charged in full or, where its usage came along, at that."""
        failure = read_failure(error)
        if failure.usage is not None:
            self._settle(failure.usage, held, latency_ms, "")
        elif failure.billed:
            self._charge_in_full(held, latency_ms)
        else:
            self._release(held)
        return failure

    def _book_answer(self, generation: Any, held: Held, latency_ms: int) -> Answer:
        message, usage = generation.message, read_usage(generation.message)
        if usage is None:
            return Answer(message, self._charge_in_full(held, latency_ms))
        return Answer(message, self._settle(usage, held, latency_ms, journal.written(message)))

    def _settle(self, usage: Usage, held: Held, latency_ms: int, answer: str) -> Entry:
        try:
            actual = Spend(usage.tokens, self._cost(usage, held.entry), latency_ms, tool_calls=1)
        except InvalidInput:  # more than any account can hold
            return self._charge_in_full(held, latency_ms)
        if self._tab is not None:
            self._tab.settle(held.tab_key, actual)
        allowance = self._allowance
        return settled(allowance.ledger, allowance.account, held.entry, actual, answer)

    def _cost(self, usage: Usage, entry: Entry) -> int:
        """What the usage costs; what was reserved, where it turns out to have no known price."""
        try:
            return self._prices.of(self._call.model, usage)
        except PriceUnknown:
            return entry.reserved.cost_nano_usd

    def _charge_in_full(self, held: Held, latency_ms: int) -> Entry:
        if self._tab is not None:
            self._tab.charge_in_full(held.tab_key, latency_ms)
        allowance = self._allowance
        return charged_in_full(allowance.ledger, allowance.account, held.entry, latency_ms)

    def _is_ours_to_send(self, held: Held) -> bool:
        """Marks it as sent; where another has done that, nothing of it stands on our tab."""
        is_ours = False
        try:
            is_ours = sent(self._allowance.ledger, self._allowance.account, held.entry)
        finally:
            if self._tab is not None and not is_ours:
                self._tab.release(held.tab_key)
        return is_ours

    def _release_unsent(self, entry: Entry) -> None:
        """Gives a reservation back, unless another has found it and sends under it."""
        ledger, account = self._allowance.ledger, self._allowance.account
        if sent(ledger, account, entry):
            released(ledger, account, entry)

    def _release(self, held: Held) -> Entry:
        if self._tab is not None:
            self._tab.release(held.tab_key)
        return released(self._allowance.ledger, self._allowance.account, held.entry)


async def _booked(act: Callable[..., T], *arguments: Any) -> T:
    """Does something with the ledger in a thread, to its end even if nobody waits any more."""
    loop = asyncio.get_running_loop()
    return await asyncio.shield(loop.run_in_executor(_ledger_threads(), act, *arguments))


@once_a_process
def _ledger_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LEDGER_THREADS, thread_name_prefix="thrifty-ledger")


def _since_ms(started_ns: int) -> int:
    return (time.monotonic_ns() - started_ns) // NANO_PER_MS
