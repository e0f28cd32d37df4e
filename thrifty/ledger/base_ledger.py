"""The ledger over any storage: it checks what comes in, and does each act in one transaction.

`Ledger` says what each operation promises. `calls` and `accounts` change the tables, and `rules`
decides.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Concatenate, ParamSpec, TypeVar

from thrifty.budget import Budget, InvalidInput, Spend, validate
from thrifty.budget.clock import NANO_PER_MS
from thrifty.budget.plain_text import strip_unprintable
from thrifty.ledger import accounts, calls, rules
from thrifty.ledger.calls import Caller
from thrifty.ledger.protocol import AccountOrLease, Balance, Entry, Lease
from thrifty.ledger.storage import Storage, Tables

P = ParamSpec("P")
T = TypeVar("T")

ACCOUNT_LENGTH_MAX = 250
KEY_LENGTH_MAX = 400
"""In characters: account and key together fill an index row of PostgreSQL's (2,704 bytes)."""


def wall_clock_ms() -> int:
    """Now, for people to read. No decision depends on it."""
    return time.time_ns() // NANO_PER_MS


class BaseLedger:
    """A `Ledger` that keeps its accounts in a `Storage`."""

    def __init__(self, storage: Storage, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._storage = storage
        self._now_ms = now_ms

    def open(self, account: AccountOrLease, budget: Budget) -> Balance:
        return rules.balance_of(self._change(accounts.open_account, account, budget.limits))

    def extend(self, account: str, budget: Budget) -> Balance:
        name, limits = _check_text("account", account, ACCOUNT_LENGTH_MAX), budget.limits
        stored = self._storage.write(lambda tables: accounts.extend(tables, name, limits))
        return rules.balance_of(stored)

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
        wanted = Entry(
            _check_text("key", key, KEY_LENGTH_MAX),
            _check_text("label", label, KEY_LENGTH_MAX),
            "unsent" if unsent else "pending",
            worst_case,
            fingerprint=_check_text("fingerprint", fingerprint, KEY_LENGTH_MAX)
            if fingerprint
            else "",
            run=_check_caller(account).run,
        )
        return self._change(calls.reserve, account, wanted)

    def mark_sent(self, account: AccountOrLease, key: str) -> Entry:
        return self._change(calls.mark_sent, account, key)

    def settle(self, account: AccountOrLease, key: str, actual: Spend, answer: str = "") -> Entry:
        return self._change(calls.settle, account, key, actual, answer)

    def charge_in_full(self, account: AccountOrLease, key: str, latency_ms: int = 0) -> Entry:
        known_ms = validate.amount("latency_ms", latency_ms)
        return self._change(calls.charge_in_full, account, key, known_ms)

    def release(self, account: AccountOrLease, key: str) -> Entry:
        return self._change(calls.release, account, key)

    def reconcile(self, account: str, key: str, actual: Spend) -> Entry:
        return self._storage.write(lambda tables: calls.reconcile(tables, account, key, actual))

    def grant(self, account: AccountOrLease, child: str, share: Budget, label: str = "") -> Balance:
        # The account's name is also the key of its entry in the parent's.
        name = _check_text("child", child, ACCOUNT_LENGTH_MAX)
        shown = _check_text("label", label, KEY_LENGTH_MAX) if label else name
        return rules.balance_of(self._change(accounts.grant, account, name, share.limits, shown))

    def reclaim(self, account: AccountOrLease, child: str) -> Entry:
        return self._change(accounts.reclaim, account, child)

    def take(
        self, account: str, owner: str, over_fence: int | None = None, run: str | None = None
    ) -> Lease:
        name = _check_text("run", account if run is None else run, ACCOUNT_LENGTH_MAX)
        who, now_ms = _check_text("owner", owner, KEY_LENGTH_MAX), self._now_ms()
        return self._storage.write(
            lambda tables: accounts.take(tables, account, name, who, over_fence, now_ms)
        )

    def give_back(self, lease: Lease) -> None:
        now_ms = self._now_ms()
        self._storage.write(lambda tables: accounts.give_back(tables, lease, now_ms))

    def owner_of(self, account: str, run: str | None = None) -> str:
        name = account if run is None else run
        lease = self._storage.read(lambda tables: tables.lease(account, name), is_single=True)
        return lease.owner if lease else ""

    def balance(self, account: AccountOrLease) -> Balance:
        name = _check_caller(account).account
        return rules.balance_of(
            self._storage.read(lambda tables: calls.require_account(tables, name), is_single=True)
        )

    def entry(self, account: AccountOrLease, key: str) -> Entry | None:
        name = _check_caller(account).account
        return self._storage.read(
            lambda tables: tables.entry(calls.require_account(tables, name).name, key)
        )

    def overruns(self, account: AccountOrLease) -> tuple[Entry, ...]:
        name = _check_caller(account).account
        return self._storage.read(
            lambda tables: tuple(tables.overruns(calls.require_account(tables, name).name))
        )

    def entries(self, account: AccountOrLease) -> tuple[Entry, ...]:
        name = _check_caller(account).account
        return self._storage.read(lambda tables: _read_checked_entries(tables, name))

    def _change(
        self,
        act: Callable[Concatenate[Tables, Caller, P], T],
        account: AccountOrLease,
        *details: P.args,
        **named: P.kwargs,
    ) -> T:
        """Does one act of a caller in a transaction of its own."""
        caller = _check_caller(account)
        return self._storage.write(lambda tables: act(tables, caller, *details, **named))


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
