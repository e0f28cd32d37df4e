"""The ledger over any storage: it checks what comes in, and does each act in one transaction.

`Ledger` says what each operation promises. `calls`, `accounts`, `grants`, `run_leases` and `sweep`
change the tables, `posting` keeps the counters, and `rules` decides.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from thrifty.budget import (
    AccountClosed,
    Budget,
    BudgetExceeded,
    LedgerUnavailable,
    Spend,
    validate,
)
from thrifty.budget.clock import NANO_PER_MS
from thrifty.budget.periods import Limits
from thrifty.ledger import accounts, calls, grants, run_leases, sweep
from thrifty.ledger.act_input import (
    ACCOUNT_LENGTH_MAX,
    KEY_LENGTH_MAX,
    check_account,
    check_caller,
    check_parent,
    check_tags,
    check_text,
    check_zone,
    read_period_limits,
)
from thrifty.ledger.calls import Caller
from thrifty.ledger.corrections import Correction, correct, read_corrections
from thrifty.ledger.outbox import Outbox
from thrifty.ledger.owner import process_name
from thrifty.ledger.process_exit import LEDGERS, register_exit_aware
from thrifty.ledger.records import AccountInfo, AccountOrLease, Balance, Entry, Lease, make_entry
from thrifty.ledger.rules import NO_SPEND
from thrifty.ledger.storage import CallNames, Storage, Tables, make_call_names
from thrifty.ledger.thresholds import (
    PERCENTS_DEFAULT,
    ThresholdHook,
    call_hook,
    find_reached,
    note_reached,
)

T = TypeVar("T")


def wall_clock_ms() -> int:
    """Now, by this machine's clock."""
    return time.time_ns() // NANO_PER_MS


class BaseLedger:
    """A `Ledger` that keeps its accounts in a `Storage`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._watches: list[tuple[ThresholdHook, tuple[int, ...]]] = []
        self._outbox = Outbox()
        self._has_reserved = False
        register_exit_aware(self, LEDGERS)

    @property
    def identity(self) -> Hashable:
        """The same for every ledger object on the same accounts."""
        return self._storage.identity

    def open(
        self,
        account: AccountOrLease,
        limits: Limits,
        *,
        parent: str | None = None,
        zone: str | None = None,
    ) -> Balance:
        caller = check_caller(account)
        amounts = read_period_limits(limits)
        check_zone(zone)
        check_parent(parent)

        def act(tables: Tables) -> Balance:
            accounts.open_account(tables, caller, amounts, parent, zone)
            return accounts.balance(tables, caller.account)

        return self._write(act)

    def set_limits(self, account: str, limits: Limits, *, zone: str | None = None) -> Balance:
        name, amounts = check_account(account), read_period_limits(limits)
        check_zone(zone)

        def act(tables: Tables) -> Balance:
            accounts.set_limits(tables, name, amounts, zone)
            return accounts.balance(tables, name)

        return self._write(act)

    def move(self, account: str, parent: str | None) -> None:
        name = check_account(account)
        check_parent(parent)
        self._write(lambda tables: accounts.move(tables, name, parent))

    def close(self, account: str) -> Balance:
        name = check_account(account)

        def act(tables: Tables) -> Balance:
            accounts.close(tables, name)
            return accounts.balance(tables, name)

        return self._write(act)

    def reserve(
        self,
        account: AccountOrLease,
        key: str,
        label: str,
        worst_case: Spend,
        *,
        fingerprint: str = "",
        unsent: bool = False,
        tags: Mapping[str, str] | None = None,
    ) -> Entry:
        caller = check_caller(account)
        self._has_reserved = True
        if fingerprint:
            check_text("fingerprint", fingerprint, KEY_LENGTH_MAX)
        wanted = make_entry(
            (
                check_text("key", key, KEY_LENGTH_MAX),
                check_text("label", label, KEY_LENGTH_MAX),
                "unsent" if unsent else "pending",
                worst_case,
                NO_SPEND,
                "",
                fingerprint,
                caller.run,
                caller.account,
                process_name(),
                0,
                check_tags(tags) if tags else (),
                (),
            )
        )
        try:
            return self._reserve(caller, wanted)
        except LedgerUnavailable:
            if unsent:  # it may have been written, and nobody is going to send it
                self._outbox.add(
                    lambda: self._change(
                        caller, key, lambda tables: calls.release_unsent(tables, caller, key)
                    ),
                    f"the release of call {key!r}",
                )
            raise

    def _reserve(self, caller: Caller, wanted: Entry) -> Entry:
        """Reserves, and where it does not fit once more, without what the dead have left open."""

        def act(tables: Tables) -> Entry:
            return calls.reserve(tables, caller, wanted)

        try:
            return self._change(caller, wanted.key, act)
        except BudgetExceeded as refusal:
            if isinstance(refusal, AccountClosed) or not self.sweep(refusal.account):
                raise
        return self._change(caller, wanted.key, act)

    def mark_sent(self, account: AccountOrLease, key: str) -> Entry:
        caller = check_caller(account)
        return self._change(caller, key, lambda tables: calls.mark_sent(tables, caller, key))

    def settle(self, account: AccountOrLease, key: str, actual: Spend, answer: str = "") -> Entry:
        caller = check_caller(account)
        entry = self._close_call(
            caller, key, lambda tables: calls.settle(tables, caller, key, actual, answer)
        )
        if self._watches:
            self._tell_thresholds(entry.account)
        return entry

    def charge_in_full(self, account: AccountOrLease, key: str, latency_ms: int = 0) -> Entry:
        caller, known_ms = check_caller(account), validate.amount("latency_ms", latency_ms)
        entry = self._close_call(
            caller, key, lambda tables: calls.charge_in_full(tables, caller, key, known_ms)
        )
        if self._watches:
            self._tell_thresholds(entry.account)
        return entry

    def release(self, account: AccountOrLease, key: str) -> Entry:
        caller = check_caller(account)
        return self._close_call(caller, key, lambda tables: calls.release(tables, caller, key))

    def reconcile(self, account: str, key: str, actual: Spend) -> Entry:
        name = check_account(account)
        return self._write(lambda tables: calls.reconcile(tables, name, key, actual))

    def correct(self, account: str, key: str, actual: Spend, why: str) -> Entry:
        name, reason = check_account(account), check_text("why", why, KEY_LENGTH_MAX)
        return self._write(lambda tables: correct(tables, name, key, actual, reason))

    def corrections(self, account: str) -> tuple[Correction, ...]:
        return read_corrections(self.entries(account))

    def sweep(self, account: str | None = None, *, owner: str | None = None) -> tuple[Entry, ...]:
        top = None if account is None else check_account(account)
        found = self._storage.read(lambda tables: sweep.find_abandoned(tables, top, owner))
        if not found:
            return ()
        return self._write(lambda tables: sweep.close_entries(tables, found))

    def watch(self, hook: ThresholdHook, percents: Sequence[int] = PERCENTS_DEFAULT) -> None:
        """Calls a function when an account has spent a share of a limit, once in each window.

        Calls that are settled through this ledger object are watched, those of other processes
        where they watch themselves. What the function raises is logged, and breaks no call.

        Args:
            hook: what to call: `log_threshold`, `post_threshold(url)`, or a function of yours.
            percents: the shares, in percent of each limit.

        Raises:
            InvalidInput: a share is no whole number from 1 to 100.
        """
        for percent in percents:
            validate.amount("percents", percent, minimum=1, maximum=100)
        self._watches.append((hook, tuple(percents)))

    def grant(self, account: AccountOrLease, child: str, share: Budget, label: str = "") -> Balance:
        caller = check_caller(account)
        # The account's name is also the key of its entry in the parent's.
        name = check_text("child", child, ACCOUNT_LENGTH_MAX)
        shown = check_text("label", label, KEY_LENGTH_MAX) if label else name

        def act(tables: Tables) -> Balance:
            grants.grant(tables, caller, name, share.limits, shown)
            return accounts.balance(tables, name)

        return self._write(act)

    def reclaim(self, account: AccountOrLease, child: str) -> Entry:
        caller = check_caller(account)
        return self._write(lambda tables: grants.reclaim(tables, caller, child))

    def take(
        self, account: str, owner: str, over_fence: int | None = None, run: str | None = None
    ) -> Lease:
        name = check_account(account)
        of_run = name if run is None else check_text("run", run, ACCOUNT_LENGTH_MAX)
        who = check_text("owner", owner, KEY_LENGTH_MAX)
        return self._write(lambda tables: run_leases.take(tables, name, of_run, who, over_fence))

    def give_back(self, lease: Lease) -> None:
        self._write(lambda tables: run_leases.give_back(tables, lease))

    def owner_of(self, account: str, run: str | None = None) -> str:
        name = account if run is None else run
        lease = self._storage.read(lambda tables: tables.lease(account, name), is_single=True)
        return lease.owner if lease else ""

    def balance(self, account: AccountOrLease) -> Balance:
        name = check_caller(account).account
        return self._storage.read(lambda tables: accounts.balance(tables, name))

    def accounts(self) -> tuple[AccountInfo, ...]:
        return self._storage.read(
            lambda tables: tuple([accounts.account_info(tables, a) for a in tables.accounts()])
        )

    def entry(self, account: AccountOrLease, key: str) -> Entry | None:
        name = check_caller(account).account
        return self._storage.read(
            lambda tables: tables.entry(calls.require_account(tables, name).name, key)
        )

    def overruns(self, account: AccountOrLease) -> tuple[Entry, ...]:
        name = check_caller(account).account
        return self._storage.read(
            lambda tables: tuple(tables.overruns(calls.require_account(tables, name).name))
        )

    def entries(self, account: AccountOrLease, *, below: bool = False) -> tuple[Entry, ...]:
        name = check_caller(account).account
        return self._storage.read(lambda tables: accounts.read_entries(tables, name, below=below))

    def _tell_thresholds(self, account: str) -> None:
        """Calls the hooks whose thresholds this account, or one above it, has reached."""
        percents = {percent for _, own in self._watches for percent in own}
        if not self._storage.read(lambda tables: find_reached(tables, account, percents)):
            return
        for reached in self._write(lambda tables: note_reached(tables, account, percents)):
            for hook, own in self._watches:
                if reached.percent in own:
                    call_hook(hook, reached)

    def end_process(self) -> None:
        """Closes what this process has open in the ledger: nobody here will do it any more."""
        self._outbox.flush()
        if self._has_reserved:  # else there may not even be a file
            self.sweep(owner=process_name())

    def _close_call(self, caller: Caller, key: str, act: Callable[[Tables], Entry]) -> Entry:
        """Does an act that closes a call. If it cannot be written now, it is written later."""
        try:
            return self._change(caller, key, act)
        except LedgerUnavailable:
            self._outbox.add(lambda: self._change(caller, key, act), f"the end of call {key!r}")
            raise

    def _write(self, work: Callable[[Tables], T], call: CallNames | None = None) -> T:
        """Does some work in a transaction, behind what could not be written before."""
        if self._outbox.kept:
            self._outbox.flush()
        return self._storage.write(work, call)

    def _change(self, caller: Caller, key: str, act: Callable[[Tables], T]) -> T:
        """Does one act on one call of a caller."""
        if self._outbox.kept:
            self._outbox.flush()
        call = make_call_names((caller.account, caller.run, key))
        return self._storage.write(act, call)
