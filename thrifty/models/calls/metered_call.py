"""One metered call of a model: reserved, capped, sent, cut at its deadline and settled.

Nothing leaves before its worst case is reserved, and every way out of a call passes through
`settle`, `charge_in_full` or `release`. All of it runs on the background loop, whoever waits for
it. The ledger may have to wait for a disk, so it is asked in threads beside the loop.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from thrifty.budget import (
    BudgetExceeded,
    InvalidInput,
    ModelUnavailable,
    PriceUnknown,
    ThriftyError,
)
from thrifty.budget.clock import NANO_PER_MS, elapsed_ms, now_ns
from thrifty.budget.resources import LATENCY
from thrifty.ledger.records import Entry
from thrifty.models.calls import stored_answer
from thrifty.models.calls.first_hold import FIRST, WHOLE, HoldTerms, longer_than
from thrifty.models.calls.reservation import CallAccounts, Reservation
from thrifty.models.calls.wait_for_budget import wait_for_budget
from thrifty.models.calls.whole_answers import DERIVED_CAP
from thrifty.models.costs.read_uses import read_uses
from thrifty.models.costs.silent_usage import silent_servers
from thrifty.models.costs.substitute import ASKED_MODEL, note_substitute
from thrifty.models.costs.usage import read_usage
from thrifty.models.failures.failure import Failure, after_pieces, read_failure, read_unsent
from thrifty.models.providers.vendors import is_cut
from thrifty.models.tracing.call_record import (
    answer_facts,
    failure_facts,
    record_call,
    reservation_facts,
)
from thrifty.models.tracing.recorders import AddFacts, Facts, is_recorded
from thrifty.models.wire.background_loop import BackgroundLoop, CallAbandoned, Emit, background_loop
from thrifty.models.wire.exchange import Exchange, watch_exchange

T = TypeVar("T")

WAIT_MAX_MS = 60_000
"""How long a call without a limit on time is put off at most because the server asks for it."""
NOTES = (ASKED_MODEL, DERIVED_CAP)
"""What we note in the metadata of an answer."""
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


@dataclass(slots=True)
class MeteredCall:
    """One call on its way to the model and back."""

    accounts: CallAccounts
    """Its request, and where it is booked."""
    run_manager: Any = None
    """LangChain's, of this call; a tracer among its handlers is told of it."""
    loop: BackgroundLoop = field(default_factory=background_loop)
    """Where it has to be asked."""
    has_emitted: bool = False
    """Whether a piece of an answer was handed over."""

    async def ask(self, abandoned: asyncio.Event, emit: Emit | None = None) -> Answer:
        """Asks once, and again where that may help and the budget holds one more attempt.

        An answer that was paid before under the same key comes from the journal. A stream of
        which pieces were handed over is not begun again, and so holds all that fits at once.

        Raises:
            BudgetExceeded: the worst case does not fit; nothing was sent.
            PriceUnknown: money is limited and the call has no price; nothing was sent.
            InvalidInput: limits are set, and the call has no bound; nothing was sent.
            ModelUnavailable: no usable answer; what the attempts cost is in the ledger.
        """
        hold = FIRST if emit is None and self.accounts.allowance.attempts_max > 1 else WHOLE
        reservation, answer = await self._ask_until_answered(hold, abandoned, emit)
        if reservation.is_first_hold and is_cut(answer.message):
            reservation, answer = await self._ask_whole(reservation, answer, abandoned)
        self._note_length(answer)
        self.accounts.cost.note_last_answer(answer.message, reservation.cap)
        return answer

    async def _ask_until_answered(
        self, hold: HoldTerms, abandoned: asyncio.Event, emit: Emit | None
    ) -> tuple[Reservation, Answer]:
        failure: Failure | None = None
        charged: Entry | None = None
        for _ in range(self.accounts.allowance.attempts_max):
            if failure is not None and not await self._wait(failure, abandoned):
                break
            try:
                reservation, outcome = await self._attempt(charged, hold, abandoned, emit)
            except (BudgetExceeded, InvalidInput, PriceUnknown) as error:
                if failure is not None and isinstance(error, BudgetExceeded):
                    break  # how the first attempt failed says more than that a second does not fit
                if failure is None and self.accounts.allowance.on_refusal:
                    self.accounts.allowance.on_refusal(error)
                raise
            if isinstance(outcome, Answer):
                return reservation, outcome
            failure = outcome
            # A key that was released is free again: only what was charged needs another.
            charged = reservation.entry if failure.billed else charged
        assert failure is not None, "there is at least one attempt"
        raise ModelUnavailable(
            f"{self.accounts.request.model}: {failure.reason}", for_good=failure.for_good
        )

    async def _ask_whole(
        self, reservation: Reservation, cut: Answer, abandoned: asyncio.Event
    ) -> tuple[Reservation, Answer]:
        """Asks once more for an answer that was cut at its first hold. Else that is the answer."""
        hold = longer_than(reservation.cap)
        try:
            second, outcome = await self._attempt(reservation.entry, hold, abandoned, None)
        except ThriftyError:  # whatever keeps it from being sent: what is paid for is kept
            return reservation, cut
        return (second, outcome) if isinstance(outcome, Answer) else (reservation, cut)

    def _note_length(self, answer: Answer) -> None:
        usage = read_usage(answer.message)
        if usage is not None and not answer.is_replayed and self.accounts.cost.cap_max:
            self.accounts.note_length(usage, is_cut=is_cut(answer.message))

    async def _wait(self, failure: Failure, abandoned: asyncio.Event) -> bool:
        """Waits as long as the failure asks; False where that is no use or takes too long."""
        if failure.retry_after_ms is None or self.has_emitted:
            return False
        left_ms = await self._in_thread(self.accounts.left_ms)
        # What could only be sent after the deadline is not worth the wait.
        if failure.retry_after_ms >= (WAIT_MAX_MS if left_ms is None else left_ms):
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(abandoned.wait(), failure.retry_after_ms / 1000)
        return not abandoned.is_set()

    async def _attempt(
        self, after: Entry | None, hold: HoldTerms, abandoned: asyncio.Event, emit: Emit | None
    ) -> tuple[Reservation, Answer | Failure]:
        """Reserves and asks, and records it where somebody keeps records."""
        accounts, manager, reservation = self.accounts, self.run_manager, None
        record: AbstractContextManager[AddFacts | None] = nullcontext()
        if is_recorded(manager):
            record = record_call(accounts.request, accounts.allowance.label, manager)
        with record as add_facts:
            # Where the caller allows that, it waits first for what others hold.
            if accounts.allowance.patience_ms:
                reservation = await wait_for_budget(accounts, after, hold, self.loop, abandoned)
            reservation = reservation or await self._in_thread(accounts.reserve, after, hold)
            assert reservation is not None, "who cannot wait is not asked to wait"
            if add_facts:
                add_facts(reservation_facts(reservation.entry, reservation.cap))
            outcome = await self._send(reservation, abandoned, emit)
            if add_facts:
                add_facts(await self._closing_facts(outcome, reservation))
        return reservation, outcome

    async def _closing_facts(self, outcome: Answer | Failure, reservation: Reservation) -> Facts:
        if isinstance(outcome, Answer):
            return answer_facts(outcome.entry, outcome.message, is_replayed=outcome.is_replayed)
        ledger, account = self.accounts.allowance.ledger, self.accounts.allowance.account
        entry = await self._in_thread(ledger.entry, account, reservation.entry.key)
        return failure_facts(entry or reservation.entry, outcome.reason)

    async def _send(
        self, reservation: Reservation, abandoned: asyncio.Event, emit: Emit | None
    ) -> Answer | Failure:
        """Sends it, unless it was before, and books what comes of it."""
        entry, accounts, in_thread = reservation.entry, self.accounts, self._in_thread
        if entry.status == "settled" and entry.answer:
            return await self._replay(entry, emit)
        if entry.status != "unsent":
            return Failure(ASKED_BEFORE, billed=True, retry_after_ms=0)
        is_first, left_ms, due_ns = await in_thread(self._mark_sent, reservation)
        if not is_first:  # another process found the same reservation, and was quicker
            return Failure(ASKED_BEFORE, billed=True, retry_after_ms=0)
        if left_ms is not None and left_ms <= 0:
            await in_thread(accounts.release, reservation)
            raise BudgetExceeded({LATENCY.name: 1 - left_ms}, accounts.allowance.label)
        # Nothing has left yet, so what nobody waits for any more is free.
        if abandoned.is_set():
            await in_thread(accounts.release, reservation)
            raise CallAbandoned
        started_ns = now_ns()
        send = accounts.request.send(reservation.cap, None if emit is None else self._emitter(emit))
        with watch_exchange() as exchange:
            try:
                generation = await self.loop.await_call(send, due_ns, abandoned)
            except Exception as error:
                is_free = accounts.request.is_watched and exchange.hold_back()
                latency_ms = elapsed_ms(started_ns)
                seen = None if is_free else exchange
                book = in_thread(self._book_failure, error, seen, reservation, latency_ms)
                failure = await book
                if isinstance(error, CallAbandoned):
                    raise
                return failure
        latency_ms = elapsed_ms(started_ns)
        answer = await in_thread(self._book_answer, generation.message, reservation, latency_ms)
        if emit is not None:
            self._emit_rest(answer.message, emit)
        return answer

    def _in_thread(self, act: Callable[..., T], *arguments: Any) -> Coroutine[Any, Any, T]:
        """Asks the ledgers that the call is booked in, in threads beside the loop."""
        return self.loop.in_thread(self.accounts.ledgers, act, *arguments)

    def _mark_sent(self, reservation: Reservation) -> tuple[bool, int | None, int | None]:
        """Whether it is this call's to send, the time that is left, and when that is over."""
        left_ms = self.accounts.allowance.left_ms(reservation.limits)
        due_ns = None if left_ms is None else now_ns() + left_ms * NANO_PER_MS
        return self.accounts.mark_sent(reservation), left_ms, due_ns

    def _emitter(self, emit: Emit) -> Emit:
        def emit_and_note(piece: Any) -> None:
            self.has_emitted = True
            emit(piece)

        return emit_and_note

    def _emit_rest(self, message: Any, emit: Emit) -> None:
        """Hands over what a stream has not had: all of an answer that came whole, or what was
        found out of it since its last piece."""
        if not self.has_emitted:
            _emit_whole(message, emit)
            return
        from langchain_core.messages import AIMessageChunk
        from langchain_core.outputs import ChatGenerationChunk

        told = message.response_metadata
        if notes := {name: told[name] for name in NOTES if name in told}:
            piece = AIMessageChunk(content="", response_metadata=notes, chunk_position="last")
            emit(ChatGenerationChunk(message=piece))

    async def _replay(self, entry: Entry, emit: Emit | None) -> Answer:
        message = stored_answer.from_json(entry.answer)
        if DERIVED_CAP in message.response_metadata:  # it may have been asked once more
            later = await self._in_thread(self.accounts.later_answer, entry)
            if later is not None:
                entry, message = later, stored_answer.from_json(later.answer)
        if emit is not None:
            _emit_whole(message, emit)
        return Answer(message, entry, is_replayed=True)

    def _book_failure(
        self, error: Exception, exchange: Exchange | None, reservation: Reservation, latency_ms: int
    ) -> Failure:
        """A failed attempt is free, charged in full or, where its usage came along, at that.

        Args:
            error: what the client raised.
            exchange: what was seen on the wire; None where nothing of the request has left.
            reservation: what is held for it.
            latency_ms: how long it took.
        """
        failure = read_unsent(error) if exchange is None else read_failure(error, exchange)
        failure = after_pieces(failure) if self.has_emitted else failure
        if failure.usage is not None:
            self.accounts.settle(failure.usage, reservation, latency_ms)
        elif failure.billed:
            self.accounts.charge_in_full(reservation, latency_ms)
        else:
            self.accounts.release(reservation)
        return failure

    def _book_answer(self, message: Any, reservation: Reservation, latency_ms: int) -> Answer:
        """An answer is charged at its usage; without one that is true, in full."""
        request, usage = self.accounts.request, read_usage(message)
        if usage is not None and request.uses.most:
            usage = replace(usage, uses=read_uses(message))
        silent_servers.note(request.provider, request.model, message, is_told=usage is not None)
        if self.accounts.may_be_cut(reservation, usage):
            told = {**message.response_metadata, DERIVED_CAP: reservation.cap}
            message.response_metadata = told
        if usage is None:
            return Answer(message, self.accounts.charge_in_full(reservation, latency_ms))
        if self.accounts.charge(usage, reservation).has_substitute:
            note_substitute(message, request.model, usage.model)
        answer = stored_answer.to_json(message) if request.keeps_answer else ""
        return Answer(message, self.accounts.settle(usage, reservation, latency_ms, answer))


def _emit_whole(message: Any, emit: Emit) -> None:
    from langchain_core.outputs import ChatGenerationChunk

    emit(ChatGenerationChunk(message=stored_answer.as_chunk(message)))
