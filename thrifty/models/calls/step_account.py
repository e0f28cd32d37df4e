"""The account of a step: what is reserved for it, and what its calls have used of it.

The step's reservation stands in the run's ledger while somebody else's code works; the calls
that are seen of it (by the callback guard, or by a metered model) are booked here, in a ledger of
its own with that reservation as its limit. So the run holds the worst case at every moment, and
the step is settled once, at the sum. Calls of a step within another are booked in both.

Where nothing was reserved before, as for the calls of an agent that is no step of a run, an
`AgentAccount` (`agent_account.py`) books each of them straight on an account.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from threading import Lock
from typing import NoReturn

from thrifty.budget import (
    Budget,
    BudgetExceeded,
    LedgerUnavailable,
    ReservationClosed,
    Spend,
    StepEnded,
    ThriftyError,
    total_spend,
)
from thrifty.budget.resources import LATENCY
from thrifty.ledger.calls import Caller
from thrifty.ledger.idempotent_calls import call_key
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease, Entry

logger = logging.getLogger(__name__)

Place = tuple[Ledger, AccountOrLease]
"""A ledger, and an account in it."""
ACCOUNT = "step"
DIGEST_DIGITS = 16
"""How much of a request's digest names its calls; all of it stands in the entry beside."""


class StepAccount:
    """Accounts for one step's calls; once refused, it refuses everything.

    Args:
        allowed: what the calls may use together; None is no limit.
        left_ms: how much of the latency limit is left now; None without a limit.
        parent: of the step in which this one runs itself.
    """

    def __init__(
        self,
        allowed: Budget,
        left_ms: Callable[[], int | None] = lambda: None,
        parent: StepAccount | None = None,
    ) -> None:
        self.ledger: Ledger = MemoryLedger()
        self.account: AccountOrLease = ACCOUNT
        self.ledger.open(ACCOUNT, allowed)
        self.left_ms = left_ms
        self.parent = parent
        self.refusal: ThriftyError | None = None
        """Why a call was refused; from then on none is made, whoever swallowed that."""
        self.declined: ThriftyError | None = None
        """Why the last metered call was not sent; the next one may fit."""
        self.is_reserved = True
        """Whether all of it was reserved before, so that a call may take it whose price nobody
        knows."""
        self.has_called = False
        """Whether a call was let through."""
        self._is_metered = False
        self._is_closed = False
        self._numbers = count(1)
        self._asked: Counter[str] = Counter()
        self._lock = Lock()
        self._outer_keys: dict[str, str] = {}
        """Of what is reserved, by its key here: its key in the parent, if there is one."""
        self._counted_elsewhere: set[str] = set()
        """Of that, what counts here by an entry of another account, and has none of its own."""

    @property
    def budget(self) -> Budget:
        """What limits the calls, together with those of its parents."""
        mine = self.ledger.balance(self.account).limits
        return mine.tightest_with(self.parent.budget) if self.parent else mine

    @property
    def left(self) -> Budget:
        """What is left for a further call."""
        mine = self.ledger.balance(self.account).left
        return mine.tightest_with(self.parent.left) if self.parent else mine

    def note_metered(self) -> None:
        """Notes that tokens and money are booked here from now on, and not only declared."""
        self._is_metered = True
        if self.parent is not None:
            self.parent.note_metered()

    def metered_key(self, digest: str) -> str:
        """Names a metered call: by what it asks, and how often the step has asked just that."""
        with self._lock:  # a batch asks at once, in threads
            self._asked[digest] += 1
            return self._metered_key(digest, self._asked[digest])

    def paid_calls(self) -> tuple[Entry, ...]:
        """The metered calls that were answered, in their order. A step that waits keeps them.

        Of a call that was cut and asked once more, the last answer counts.
        """
        answered = [e for e in self._entries() if e.status == "settled" and e.answer]
        return tuple({entry.key.rpartition(".")[0]: entry for entry in answered}.values())

    def replay(self, paid: Iterable[Entry]) -> None:
        """Lets the step find what it has paid for before it waited. That is charged already."""
        asked: Counter[str] = Counter()
        for call in paid:
            digest = call.fingerprint
            asked[digest] += 1
            key = call_key(self._metered_key(digest, asked[digest]), 1)
            self.ledger.reserve(
                self.account, key, call.label, Spend(), fingerprint=digest, unsent=True
            )
            self.ledger.settle(self.account, key, Spend(), call.answer)

    def check(self) -> None:
        """Lets a call pass, or not.

        Raises:
            BudgetExceeded: a call was refused before, or the time is up.
            StepEnded: there is nothing left to charge it to.
        """
        if self._is_closed:
            raise StepEnded
        if self.refusal is not None:
            raise self.refusal
        left_ms = self.left_ms()
        if left_ms is not None and left_ms <= 0:
            self.refuse(BudgetExceeded({LATENCY.name: 1 - left_ms}, "a further call"))

    def refuse(self, why: ThriftyError) -> NoReturn:
        """Refuses this call and every later one.

        Raises:
            ThriftyError: the reason, as given.
        """
        self.refusal = self.refusal or why  # the first reason counts
        raise why

    def note_declined(self, why: ThriftyError | None) -> None:
        """Notes why a metered call was not sent; with None, that another one is made."""
        self.declined = why

    def reserve(
        self,
        label: str,
        worst_case: Spend,
        booked_in: tuple[Place, ...] = (),
        *,
        unsent: bool = False,
    ) -> str:
        """Takes a worst case from what is left, here and in the parents.

        Args:
            label: what the call is for.
            worst_case: the most that it can use.
            booked_in: where it is booked already, or will be, so that it counts here as well.
            unsent: whether it is held and will not be sent, so that it may be released unasked.

        Returns:
            The key under which it is to be closed.

        Raises:
            BudgetExceeded: it does not fit, or a call was refused before.
        """
        self.check()
        key, outer_key = self._key(next(self._numbers)), ""
        counts_here = any(self.has_entries_of(*place) for place in booked_in)
        try:
            # From the outside in: what an inner account refuses is given back at once.
            if self.parent is not None:
                places = *booked_in, (self.ledger, self.account)
                outer_key = self.parent.reserve(label, worst_case, places, unsent=unsent)
            if not counts_here:
                self.ledger.reserve(self.account, key, label, worst_case, unsent=unsent)
        except ThriftyError as error:
            if self.parent is not None and outer_key:
                self.parent.release(outer_key)
            self.refuse(error)
        self._outer_keys[key] = outer_key
        self.has_called = True
        if counts_here:
            self._counted_elsewhere.add(key)
        return key

    def settle(self, key: str, actual: Spend) -> None:
        """Charges what a call has used."""
        self._end_call(key, lambda step, key: step.ledger.settle(step.account, key, actual))

    def charge_in_full(self, key: str, latency_ms: int = 0) -> None:
        """Charges all that was reserved for a call, since nobody knows what it cost."""
        self._end_call(
            key, lambda step, key: step.ledger.charge_in_full(step.account, key, latency_ms)
        )

    def release(self, key: str) -> None:
        """Frees what was reserved for a call that was certainly not billed."""
        self._end_call(key, lambda step, key: step.ledger.release(step.account, key))

    def _end_call(self, key: str, end: Callable[[StepAccount, str], object]) -> None:
        """Ends a call in the same way here and in the parents, under its key in each.

        What cannot be written is not the fault of whoever called: the ledger writes it later.
        """
        try:
            if key in self._counted_elsewhere:
                self._counted_elsewhere.discard(key)
            else:
                end(self, key)
        except (LedgerUnavailable, ReservationClosed) as error:
            logger.error("call %r could not be settled yet: %s", key, error)
        outer_key = self._outer_keys.pop(key, "")
        if self.parent is not None and outer_key:
            self.parent._end_call(outer_key, end)

    def close(self) -> None:
        """Ends it: what is still open is charged in full, and nothing is let through any more.

        What has been called and answered stays so where the ledger cannot be read: then what is
        open stays reserved, until a sweep charges it.
        """
        self._is_closed = True
        try:
            for entry in self._entries():
                if entry.is_open:
                    self.charge_in_full(entry.key)
        except LedgerUnavailable as error:
            logger.error("what is open on %r stays reserved: %s", self.account, error)

    @property
    def was_used(self) -> bool:
        """Whether a call was made, or refused."""
        return bool(self._entries() or self.refusal or self.declined)

    def bill(self, declared: Spend) -> Spend:
        """What the step has used: what its calls came to or, where none was seen, what it declared.

        Of a tool nobody sees more than that it was called. So tokens and money are what was
        declared, unless a model was called, or a step of an agent ran within this one.
        """
        if not self.was_used:
            return declared
        used = total_spend(entry.charged for entry in self._entries())
        if self._is_metered:
            return replace(used, latency_ms=0)  # time is measured from outside
        return replace(declared, tool_calls=used.tool_calls)

    def at_least(self, claimed: Spend) -> Spend:
        """What an executor says that it used, but no less than its calls came to."""
        return Spend(*map(max, claimed.amounts, self.bill(claimed).amounts))

    def _key(self, number: int) -> str:
        return str(number)

    def _metered_key(self, digest: str, number: int) -> str:
        return f"metered/{digest[:DIGEST_DIGITS]}-{number}"

    def _entries(self) -> list[Entry]:
        entries = self.ledger.entries(self.account)
        return [entry for entry in entries if entry.status != "released"]

    def has_entries_of(self, ledger: Ledger, account: AccountOrLease) -> bool:
        """Whether a second entry here for what is booked on that account would count twice.

        It would where it is the same, or below. On another branch of the same tree it would count
        twice in what is above both. So there the call is that account's alone.
        """
        if not is_same_ledger(self.ledger, ledger):
            return False
        mine, asked = Caller.of(self.account).account, Caller.of(account).account
        if mine == asked:  # without asking the ledger, which may not be waited for here
            return True
        try:
            above = {period.account for period in ledger.balance(asked).periods}
            return not above.isdisjoint(
                {mine, *(period.account for period in self.ledger.balance(mine).periods)}
            )
        except KeyError:  # nobody has opened it, so that it is below none
            return False

    def is_below(self, ledger: Ledger, account: AccountOrLease) -> bool:
        """Whether what is booked here counts in that account as well, and is not booked on it."""
        if not is_same_ledger(self.ledger, ledger):
            return False
        mine, asked = Caller.of(self.account).account, Caller.of(account).account
        if mine == asked:
            return False
        return any(asked == above.account for above in self.ledger.balance(mine).periods)


def is_same_ledger(ledger: Ledger, other: Ledger) -> bool:
    """Whether two ledgers are one, as two objects on one file are."""
    return ledger is other or getattr(ledger, "identity", ledger) == getattr(
        other, "identity", other
    )
