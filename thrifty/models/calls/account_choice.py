"""Which account a metered call is booked on, and under which key."""

import os
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from threading import Lock
from uuid import uuid4

from thrifty.budget import Budget, InvalidInput
from thrifty.budget.clock import now_ns
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease
from thrifty.models.calls.allowance import (
    ATTEMPTS_DEFAULT,
    OUTPUT_CAP_MIN,
    Allowance,
    countdown,
)
from thrifty.models.calls.current_account import current_account
from thrifty.models.calls.first_hold import HOLD_QUANTILE
from thrifty.models.calls.node_attempts import AttemptNumbers, current_attempt
from thrifty.models.calls.step_account import DIGEST_DIGITS
from thrifty.models.providers.request import MeteredRequest

NODES_MAX = 10_000
"""Of so many turns of nodes it is known what they have asked. Older ones are forgotten."""


@dataclass
class CallKeys:
    """Names a call by its request, and by how often that was asked before.

    A node of a graph that is tried again counts anew, and is given the same answers.
    """

    run: str
    is_replayed: bool
    _asked: Counter[str] = field(default_factory=Counter)
    _nodes: OrderedDict[str, AttemptNumbers] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def next(self, request: MeteredRequest) -> str:
        """The key of a request. One whose answer nobody keeps has its own each time."""
        digest = request.digest
        if not request.keeps_answer:
            return f"{self.run}/{digest[:DIGEST_DIGITS]}-{uuid4().hex}"
        attempt = current_attempt() if self.is_replayed else None
        with self._lock:  # a batch asks at once, in threads
            if attempt is None:
                number = self._count(digest)
            else:
                node = self._nodes.setdefault(attempt.place, AttemptNumbers())
                number = node.number(digest, attempt, lambda: self._count(digest))
                self._nodes.move_to_end(attempt.place)
                if len(self._nodes) > NODES_MAX:
                    self._nodes.popitem(last=False)
            return f"{self.run}/{digest[:DIGEST_DIGITS]}-{number}"

    def _count(self, digest: str) -> int:
        self._asked[digest] += 1
        return self._asked[digest]


@dataclass(frozen=True)
class AccountChoice:
    """Books calls on an account or, without one, on that of the step in whose executor they are."""

    booked_in: tuple[Ledger, AccountOrLease] | None
    left_ms: Callable[[Budget], int | None] | None
    keys: Callable[[int], CallKeys]
    """Of a process: a fork names its calls anew."""
    label: str
    useful_tokens: int
    attempts_max: int
    patience_ms: int
    hold_quantile: float

    @classmethod
    def of(
        cls,
        ledger: Ledger | None,
        account: AccountOrLease | None,
        *,
        run: str | None = None,
        label: str,
        left_ms: Callable[[], int | None] | None = None,
        useful_tokens: int = OUTPUT_CAP_MIN,
        attempts_max: int = ATTEMPTS_DEFAULT,
        patience_ms: int = 0,
        hold_quantile: float = HOLD_QUANTILE,
    ) -> "AccountChoice":
        """What `metered` is told of it.

        Raises:
            InvalidInput: an account without a ledger, or the other way round.
            KeyError: the account was never opened.
        """
        if (ledger is None) != (account is None):
            raise InvalidInput("account", account, "name ledger and account, or neither")
        booked_in, clock = None, None if left_ms is None else lambda _: left_ms()
        if ledger is not None and account is not None:
            ledger.balance(account)  # raises now, and not at the first call
            booked_in, clock = (ledger, account), clock or countdown(now_ns())
        keys = cache(lambda pid: CallKeys(run or f"metered-{uuid4().hex}", bool(run)))
        terms = label, useful_tokens, attempts_max, patience_ms, hold_quantile
        return cls(booked_in, clock, keys, *terms)

    def __call__(self, request: MeteredRequest) -> Allowance:
        """What a request may use, and where it is booked.

        Raises:
            InvalidInput: there is neither an account nor a step.
        """
        if self.booked_in is not None:
            return self._allowance(self.keys(os.getpid()).next(request), *self.booked_in)
        step = current_account()
        if step is None:
            remedy = "name a ledger and an account, or make the call in a registered executor"
            raise InvalidInput("account", None, remedy)
        step.check()
        # From now on the step is billed what is seen of it, and not what it declares.
        step.note_metered()
        step.note_declined(None)
        # Named by the step, so that one that waits for a person finds its answers again.
        key = step.metered_key(request.digest)
        allowance = self._allowance(key, step.ledger, step.account, lambda _: step.left_ms())
        return replace(allowance, on_refusal=step.note_declined)

    def _allowance(
        self,
        key: str,
        ledger: Ledger,
        account: AccountOrLease,
        left_ms: Callable[[Budget], int | None] = lambda _: None,
    ) -> Allowance:
        return Allowance(
            ledger,
            account,
            key,
            self.label,
            limit=None,
            left_ms=self.left_ms or left_ms,
            useful_tokens=self.useful_tokens,
            attempts_max=self.attempts_max,
            patience_ms=self.patience_ms,
            hold_quantile=self.hold_quantile,
        )
