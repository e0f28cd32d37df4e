"""The ledger itself, over any storage: checks what comes in, and does each act at once.

What each operation promises is written in `Ledger`; what it does to the books, in `calls`
and `accounts`; what decides, in `rules`.
"""

import time
from collections.abc import Callable
from functools import lru_cache, partial

from thrifty.budget import Budget, InvalidInput, Spend, checks
from thrifty.budget.plain_text import plain
from thrifty.ledger import accounts, calls, rules
from thrifty.ledger.calls import Caller
from thrifty.ledger.protocol import Account, Balance, Entry, Lease
from thrifty.ledger.store import Books, Store

ACCOUNT_MAX = 250
KEY_MAX = 400
"""In characters: account and key together fill an index row of PostgreSQL's (2,704 bytes)."""


def wall_clock_ms() -> int:
    """Now, for people to read; nothing is decided by it."""
    return time.time_ns() // 1_000_000


class Book:
    """A `Ledger` that keeps its books in a store."""

    def __init__(self, store: Store, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._store = store
        self._now_ms = now_ms

    def open(self, account: Account, budget: Budget) -> Balance:
        caller, limits = _caller(account), budget.limits
        state = self._store.write(lambda books: accounts.open_account(books, caller, limits))
        return rules.balance(state)

    def extend(self, account: str, budget: Budget) -> Balance:
        name, limits = _named("account", account, ACCOUNT_MAX), budget.limits
        state = self._store.write(lambda books: accounts.extend(books, name, limits))
        return rules.balance(state)

    def reserve(
        self,
        account: Account,
        key: str,
        label: str,
        worst_case: Spend,
        *,
        fingerprint: str = "",
        unsent: bool = False,
    ) -> Entry:
        caller = _caller(account)
        wanted = Entry(
            _named("key", key, KEY_MAX),
            _named("label", label, KEY_MAX),
            "unsent" if unsent else "pending",
            worst_case,
            fingerprint=_named("fingerprint", fingerprint, KEY_MAX) if fingerprint else "",
            run=caller.run,
        )
        return self._store.write(partial(calls.reserve, caller=caller, wanted=wanted))

    def mark_sent(self, account: Account, key: str) -> Entry:
        caller = _caller(account)
        return self._store.write(partial(calls.mark_sent, caller=caller, key=key))

    def settle(self, account: Account, key: str, actual: Spend, answer: str = "") -> Entry:
        caller = _caller(account)
        return self._store.write(
            partial(calls.settle, caller=caller, key=key, actual=actual, answer=answer)
        )

    def charge_in_full(self, account: Account, key: str, latency_ms: int = 0) -> Entry:
        caller, known_ms = _caller(account), checks.amount("latency_ms", latency_ms)
        return self._store.write(
            partial(calls.charge_in_full, caller=caller, key=key, latency_ms=known_ms)
        )

    def release(self, account: Account, key: str) -> Entry:
        caller = _caller(account)
        return self._store.write(partial(calls.release, caller=caller, key=key))

    def reconcile(self, account: str, key: str, actual: Spend) -> Entry:
        return self._store.write(lambda books: calls.reconcile(books, account, key, actual))

    def grant(self, account: Account, child: str, share: Budget, label: str = "") -> Balance:
        caller, limits = _caller(account), share.limits
        # The account's name is also the key of its entry in the parent's.
        name = _named("child", child, ACCOUNT_MAX)
        shown = _named("label", label, KEY_MAX) if label else name
        state = self._store.write(lambda books: accounts.grant(books, caller, name, limits, shown))
        return rules.balance(state)

    def reclaim(self, account: Account, child: str) -> Entry:
        caller = _caller(account)
        return self._store.write(lambda books: accounts.reclaim(books, caller, child))

    def take(
        self, account: str, owner: str, over: int | None = None, run: str | None = None
    ) -> Lease:
        name = _named("run", account if run is None else run, ACCOUNT_MAX)
        who, now_ms = _named("owner", owner, KEY_MAX), self._now_ms()
        return self._store.write(
            lambda books: accounts.take(books, account, name, who, over, now_ms)
        )

    def leave(self, lease: Lease) -> None:
        now_ms = self._now_ms()
        self._store.write(lambda books: accounts.leave(books, lease, now_ms))

    def holder(self, account: str, run: str | None = None) -> str:
        name = account if run is None else run
        lease = self._store.read(lambda books: books.lease(account, name), is_single=True)
        return lease.owner if lease else ""

    def balance(self, account: Account) -> Balance:
        name = _caller(account).account
        state = self._store.read(partial(calls.known, name=name), is_single=True)
        return rules.balance(state)

    def entry(self, account: Account, key: str) -> Entry | None:
        name = _caller(account).account
        return self._store.read(partial(calls.looked_up, name=name, key=key))

    def overruns(self, account: Account) -> tuple[Entry, ...]:
        name = _caller(account).account
        return self._store.read(lambda books: calls.overruns(books, name))

    def entries(self, account: Account) -> tuple[Entry, ...]:
        name = _caller(account).account
        return self._store.read(lambda books: _checked_entries(books, name))


def _checked_entries(books: Books, name: str) -> tuple[Entry, ...]:
    account, entries = calls.known(books, name), books.entries(name)
    rules.check_sums(account, entries)
    return tuple(entries)


@lru_cache(maxsize=4096)
def _caller(account: Account) -> Caller:
    """Who asks, checked once for all the calls of a run."""
    caller = Caller.of(account)
    _named("account", caller.account, ACCOUNT_MAX)
    return caller


def _named(field: str, value: str, maximum: int) -> str:
    """A text that every database can store and compare, and that a person can read.

    Raises:
        InvalidInput: it is empty, too long, or has characters that do not print.
    """
    if not isinstance(value, str) or not 0 < len(value) <= maximum:
        raise InvalidInput(field, value, f"use 1 to {maximum} characters")
    # `isprintable` is quick, and stricter than need be: a family emoji is no harm.
    if not (value.isprintable() or plain(value) == value):
        raise InvalidInput(field, value, "leave out control characters and half characters")
    return value
