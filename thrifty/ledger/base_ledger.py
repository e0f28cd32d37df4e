"""The ledger over any storage: it checks what comes in, and does each act in one transaction.

What each operation promises is written in `Ledger`; what it does to the tables, in `calls`
and `accounts`; what decides, in `rules`.
"""

import time
from collections.abc import Callable
from functools import lru_cache, partial

from thrifty.budget import Budget, InvalidInput, Spend, validate
from thrifty.budget.clock import NANO_PER_MS
from thrifty.budget.plain_text import strip_unprintable
from thrifty.ledger import accounts, calls, rules
from thrifty.ledger.calls import Caller
from thrifty.ledger.protocol import AccountOrLease, Balance, Entry, Lease
from thrifty.ledger.storage import Storage, Tables

ACCOUNT_LENGTH_MAX = 250
KEY_LENGTH_MAX = 400
"""In characters: account and key together fill an index row of PostgreSQL's (2,704 bytes)."""


def wall_clock_ms() -> int:
    """Now, for people to read; nothing is decided by it."""
    return time.time_ns() // NANO_PER_MS


class BaseLedger:
    """A `Ledger` that keeps its accounts in a `Storage`."""

    def __init__(self, storage: Storage, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._storage = storage
        self._now_ms = now_ms

    def open(self, account: AccountOrLease, budget: Budget) -> Balance:
        caller, limits = _check_caller(account), budget.limits
        state = self._storage.write(lambda books: accounts.open_account(books, caller, limits))
        return rules.balance_of(state)

    def extend(self, account: str, budget: Budget) -> Balance:
        name, limits = _check_text("account", account, ACCOUNT_LENGTH_MAX), budget.limits
        state = self._storage.write(lambda books: accounts.extend(books, name, limits))
        return rules.balance_of(state)

    def reserve(
        self,
        account: AccountOrLease,
        key: str,
        label: str,
        worst_case: Spend,
        *,
        fingerprint: str = "",
        unsent: bool = False,
    ) -> Entry:
        caller = _check_caller(account)
        wanted = Entry(
            _check_text("key", key, KEY_LENGTH_MAX),
            _check_text("label", label, KEY_LENGTH_MAX),
            "unsent" if unsent else "pending",
            worst_case,
            fingerprint=_check_text("fingerprint", fingerprint, KEY_LENGTH_MAX)
            if fingerprint
            else "",
            run=caller.run,
        )
        return self._storage.write(partial(calls.reserve, caller=caller, wanted=wanted))

    def mark_sent(self, account: AccountOrLease, key: str) -> Entry:
        caller = _check_caller(account)
        return self._storage.write(partial(calls.mark_sent, caller=caller, key=key))

    def settle(self, account: AccountOrLease, key: str, actual: Spend, answer: str = "") -> Entry:
        caller = _check_caller(account)
        return self._storage.write(
            partial(calls.settle, caller=caller, key=key, actual=actual, answer=answer)
        )

    def charge_in_full(self, account: AccountOrLease, key: str, latency_ms: int = 0) -> Entry:
        caller, known_ms = _check_caller(account), validate.amount("latency_ms", latency_ms)
        return self._storage.write(
            partial(calls.charge_in_full, caller=caller, key=key, latency_ms=known_ms)
        )

    def release(self, account: AccountOrLease, key: str) -> Entry:
        caller = _check_caller(account)
        return self._storage.write(partial(calls.release, caller=caller, key=key))

    def reconcile(self, account: str, key: str, actual: Spend) -> Entry:
        return self._storage.write(lambda books: calls.reconcile(books, account, key, actual))

    def grant(self, account: AccountOrLease, child: str, share: Budget, label: str = "") -> Balance:
        caller, limits = _check_caller(account), share.limits
        # The account's name is also the key of its entry in the parent's.
        name = _check_text("child", child, ACCOUNT_LENGTH_MAX)
        shown = _check_text("label", label, KEY_LENGTH_MAX) if label else name
        state = self._storage.write(
            lambda books: accounts.grant(books, caller, name, limits, shown)
        )
        return rules.balance_of(state)

    def reclaim(self, account: AccountOrLease, child: str) -> Entry:
        caller = _check_caller(account)
        return self._storage.write(lambda books: accounts.reclaim(books, caller, child))

    def take(
        self, account: str, owner: str, over_fence: int | None = None, run: str | None = None
    ) -> Lease:
        name = _check_text("run", account if run is None else run, ACCOUNT_LENGTH_MAX)
        who, now_ms = _check_text("owner", owner, KEY_LENGTH_MAX), self._now_ms()
        return self._storage.write(
            lambda books: accounts.take(books, account, name, who, over_fence, now_ms)
        )

    def give_back(self, lease: Lease) -> None:
        now_ms = self._now_ms()
        self._storage.write(lambda books: accounts.give_back(books, lease, now_ms))

    def owner_of(self, account: str, run: str | None = None) -> str:
        name = account if run is None else run
        lease = self._storage.read(lambda books: books.lease(account, name), is_single=True)
        return lease.owner if lease else ""

    def balance(self, account: AccountOrLease) -> Balance:
        name = _check_caller(account).account
        state = self._storage.read(partial(calls.require_account, name=name), is_single=True)
        return rules.balance_of(state)

    def entry(self, account: AccountOrLease, key: str) -> Entry | None:
        name = _check_caller(account).account
        return self._storage.read(partial(calls.find_entry, name=name, key=key))

    def overruns(self, account: AccountOrLease) -> tuple[Entry, ...]:
        name = _check_caller(account).account
        return self._storage.read(lambda books: calls.find_overruns(books, name))

    def entries(self, account: AccountOrLease) -> tuple[Entry, ...]:
        name = _check_caller(account).account
        return self._storage.read(lambda books: _read_checked_entries(books, name))


def _read_checked_entries(tables: Tables, name: str) -> tuple[Entry, ...]:
    account, entries = calls.require_account(tables, name), tables.entries(name)
    rules.check_sums(account, entries)
    return tuple(entries)


@lru_cache(maxsize=4096)
def _check_caller(account: AccountOrLease) -> Caller:
    """Who asks, checked once for all the calls of a run."""
    caller = Caller.of(account)
    _check_text("account", caller.account, ACCOUNT_LENGTH_MAX)
    return caller


def _check_text(field: str, value: str, maximum: int) -> str:
    """A text that every database can store and compare, and that a person can read.

    Raises:
        InvalidInput: it is empty, too long, or has characters that do not print.
    """
    if not isinstance(value, str) or not 0 < len(value) <= maximum:
        raise InvalidInput(field, value, f"use 1 to {maximum} characters")
    # `isprintable` is quick, and stricter than need be: a family emoji is no harm.
    if not (value.isprintable() or strip_unprintable(value) == value):
        raise InvalidInput(field, value, "leave out control characters and half characters")
    return value
