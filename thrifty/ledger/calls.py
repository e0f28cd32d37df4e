"""What the acts on single calls do to the books, each within one transaction."""

from typing import NamedTuple

from thrifty.budget import BudgetExceeded, KeyReused, LeaseLost, ReservationClosed, Spend
from thrifty.ledger import rules
from thrifty.ledger.protocol import Account, Entry, Lease
from thrifty.ledger.rules import AccountState
from thrifty.ledger.store import Books

NO_LEASE = 0


class Caller(NamedTuple):
    """Who asks: a run in an account, and the fence of the lease that it shows."""

    account: str
    run: str
    fence: int

    @classmethod
    def of(cls, account: Account) -> "Caller":
        if isinstance(account, Lease):
            return cls(account.account, account.run, account.fence)
        return cls(account, account, NO_LEASE)


def known(books: Books, name: str) -> AccountState:
    """An account that was opened."""
    account = books.account(name)
    if account is None:
        raise KeyError(name)
    return account


def looked_up(books: Books, name: str, key: str) -> Entry | None:
    return books.entry(known(books, name).name, key)


def overruns(books: Books, name: str) -> tuple[Entry, ...]:
    return tuple(books.overruns(known(books, name).name))


def admitted(books: Books, caller: Caller, key: str = "") -> tuple[AccountState, Entry | None]:
    """The caller's account, if it may spend from it, and what stands in it under a key.

    The account is locked first, so that no take-over can come between.
    """
    account, lease, entry = books.look(caller.account, caller.run, key)
    if account is None:
        raise KeyError(caller.account)
    if caller.fence != (lease.fence if lease and lease.owner else NO_LEASE):
        raise lost(lease or Lease(caller.account, caller.run, "", NO_LEASE, 0))
    return account, entry


def lost(lease: Lease) -> LeaseLost:
    """The refusal of everybody but the one who holds a lease."""
    return LeaseLost(lease.run, lease.owner, lease.since_ms, lease.fence)


def reserve(books: Books, caller: Caller, wanted: Entry) -> Entry:
    account, before = admitted(books, caller, wanted.key)
    if before is not None:
        before = _recognised(books, caller, before, wanted)
        if before.status != "released":
            return before
    if short := rules.missing(account, wanted.reserved.amounts):
        raise BudgetExceeded(short, wanted.label)
    # The keyed row first: where two race for one key, it is what stops the second one
    # before it has counted anything.
    if before is None:
        books.add_entry(account.name, wanted)
    else:
        books.set_entry(account.name, wanted)
    books.set_account(rules.with_reserved(account, wanted))
    return wanted


def _recognised(books: Books, caller: Caller, before: Entry, wanted: Entry) -> Entry:
    """The entry of a known key, once it is certain that the same call is meant."""
    if before.is_grant:
        raise KeyReused(before.key, "names the account of a sub-agent")
    if before.run != caller.run:
        raise KeyReused(before.key, f"belongs to run {before.run!r}")
    if before.fingerprint and wanted.fingerprint and before.fingerprint != wanted.fingerprint:
        raise KeyReused(before.key, "stands for another request")
    if wanted.fingerprint and not before.fingerprint:
        before = before._replace(fingerprint=wanted.fingerprint)
        books.set_entry(caller.account, before)
    return before


def mark_sent(books: Books, caller: Caller, key: str) -> Entry:
    account, entry = _own(books, caller, key)
    return post(books, account, entry, rules.closed(entry, "pending", Spend()))


def settle(books: Books, caller: Caller, key: str, actual: Spend, answer: str) -> Entry:
    account, entry = _own(books, caller, key)
    if entry.status == "settled":
        return entry
    return post(books, account, entry, rules.closed(entry, "settled", actual, answer))


def charge_in_full(books: Books, caller: Caller, key: str, latency_ms: int) -> Entry:
    account, entry = _own(books, caller, key)
    if entry.status == "in_doubt":
        return entry
    charged = rules.in_full(entry, latency_ms)
    return post(books, account, entry, rules.closed(entry, "in_doubt", charged))


def release(books: Books, caller: Caller, key: str) -> Entry:
    account, entry = _own(books, caller, key)
    if entry.status == "released":
        return entry
    return post(books, account, entry, rules.closed(entry, "released", Spend()))


def reconcile(books: Books, name: str, key: str, actual: Spend) -> Entry:
    account = known(books, name)
    entry = _call(books.entry(name, key), key)
    if entry.status == "settled" and entry.charged == actual:
        return entry
    return post(books, account, entry, rules.reconciled(entry, actual))


def _own(books: Books, caller: Caller, key: str) -> tuple[AccountState, Entry]:
    """The caller's account, and in it the entry of a call that its run has reserved."""
    account, entry = admitted(books, caller, key)
    call = _call(entry, key)
    if call.run != caller.run:
        raise KeyReused(key, f"belongs to run {call.run!r}")
    return account, call


def _call(entry: Entry | None, key: str) -> Entry:
    if entry is None or entry.is_grant:
        raise ReservationClosed(key, entry.status if entry else "unknown")
    return entry


def post(books: Books, account: AccountState, before: Entry, after: Entry) -> Entry:
    """Writes what an entry has become, and carries what it costs up to every parent."""
    books.set_entry(account.name, after)
    changed = rules.with_changed(account, before, after)
    books.set_account(changed)
    if changed.parent and (changed.spent, changed.over) != (account.spent, account.over):
        # Accounts are locked from the sub-agent upwards, so that two never wait for each other.
        parent = known(books, changed.parent)
        grant = books.entry(parent.name, changed.name)
        assert grant is not None, "a sub-agent's account stands in its parent's"
        if grant.status == "returned":
            # A doubt has cost less than was charged: that is its parent's to spend by now.
            books.set_account(rules.shut(changed))
        post(books, parent, grant, rules.with_child(grant, changed))
    return after
