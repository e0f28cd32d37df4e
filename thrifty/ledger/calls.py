"""What the acts on single calls do to the tables, each within one transaction."""

from typing import NamedTuple

from thrifty.budget import KeyReused, LeaseLost, ReservationClosed, Spend
from thrifty.ledger import rules
from thrifty.ledger.posting import find_room, post_change, post_new
from thrifty.ledger.records import AccountOrLease, Entry, EntryStatus, Lease
from thrifty.ledger.storage import Account, Tables

NO_FENCE = 0
PAID: tuple[EntryStatus, ...] = (*rules.UNDER_WAY, "in_doubt")
"""What a bill still settles that comes without a lease: nothing that was never sent."""


class Caller(NamedTuple):
    """Who asks: a run in an account, and the fence of the lease that it shows."""

    account: str
    run: str
    fence: int

    @classmethod
    def of(cls, account: AccountOrLease) -> "Caller":
        if isinstance(account, Lease):
            return cls(account.account, account.run, account.fence)
        return cls(account, account, NO_FENCE)


def require_account(tables: Tables, name: str) -> Account:
    """An account that was opened."""
    account = tables.account(name)
    if account is None:
        raise KeyError(name)
    return account


def admit_caller(tables: Tables, caller: Caller) -> Account:
    """The caller's account, if the caller may spend from it.

    The account is locked first, so that nobody can take the run over meanwhile.
    """
    account = require_account(tables, caller.account)
    lease = tables.lease(caller.account, caller.run)
    if caller.fence != (lease.fence if lease and lease.owner else NO_FENCE):
        raise lease_lost_error(lease or Lease(caller.account, caller.run, "", NO_FENCE, 0))
    return account


def lease_lost_error(lease: Lease) -> LeaseLost:
    """The refusal of everybody but the one who holds a lease."""
    return LeaseLost(lease.run, lease.owner, lease.since_ms, lease.fence)


def reserve(tables: Tables, caller: Caller, wanted: Entry) -> Entry:
    account = admit_caller(tables, caller)
    before = tables.entry(account.name, wanted.key)
    if before is not None:
        before = _confirm_same_call(tables, caller, before, wanted)
        if before.status != "released":
            return before
    room = find_room(tables, account, wanted.reserved.amounts, wanted.label)
    return post_new(tables, room, wanted, is_known=before is not None)


def _confirm_same_call(tables: Tables, caller: Caller, before: Entry, wanted: Entry) -> Entry:
    """The entry of a known key, once it is certain that the same call is meant."""
    if before.is_grant:
        raise KeyReused(before.key, "names the account of a sub-agent")
    if before.run != caller.run:
        raise KeyReused(before.key, f"belongs to run {before.run!r}")
    if before.fingerprint and wanted.fingerprint and before.fingerprint != wanted.fingerprint:
        raise KeyReused(before.key, "stands for another request")
    if wanted.fingerprint and not before.fingerprint:
        tags = before.tags or wanted.tags
        before = before._replace(fingerprint=wanted.fingerprint, tags=tags)
        tables.set_entry(before)
    return before


def mark_sent(tables: Tables, caller: Caller, key: str) -> Entry:
    entry = _find_own_call(tables, caller, key)
    sent = rules.with_status(entry, "pending", rules.NO_SPEND, out_of=("unsent",))
    tables.set_entry(sent)  # what is held for it stays the same
    return sent


def settle(tables: Tables, caller: Caller, key: str, actual: Spend, answer: str) -> Entry:
    require_account(tables, caller.account)
    entry = _require_call(tables.entry(caller.account, key), key, caller.run)
    if entry.status == "settled":
        return entry
    if entry.status == "unsent":
        admit_caller(tables, caller)
    settled = rules.with_status(entry, "settled", actual, answer, out_of=PAID)
    return post_change(tables, entry, settled)


def charge_in_full(tables: Tables, caller: Caller, key: str, latency_ms: int) -> Entry:
    entry = _find_own_call(tables, caller, key)
    if entry.status == "in_doubt":
        return entry
    charged = rules.full_charge(entry, latency_ms)
    return post_change(tables, entry, rules.with_status(entry, "in_doubt", charged))


def release(tables: Tables, caller: Caller, key: str) -> Entry:
    entry = _find_own_call(tables, caller, key)
    if entry.status == "released":
        return entry
    return post_change(tables, entry, rules.with_status(entry, "released", rules.NO_SPEND))


def release_unsent(tables: Tables, caller: Caller, key: str) -> Entry | None:
    """Frees a call that was never sent, if it is there: whoever reserved it was not told so."""
    account = admit_caller(tables, caller)
    entry = tables.entry(account.name, key)
    if entry is None or entry.status != "unsent":
        return entry
    return post_change(tables, entry, rules.with_status(entry, "released", rules.NO_SPEND))


def reconcile(tables: Tables, name: str, key: str, actual: Spend) -> Entry:
    require_account(tables, name)
    entry = _require_call(tables.entry(name, key), key)
    if entry.status == "settled" and entry.charged == actual:
        return entry
    settled = rules.with_status(entry, "settled", actual, out_of=("in_doubt",))
    return post_change(tables, entry, settled)


def close_abandoned(tables: Tables, entries: list[Entry]) -> list[Entry]:
    """Closes open calls that nobody will close any more. What is held for grants stays."""
    return [
        post_change(tables, entry, rules.close_abandoned(entry))
        for entry in entries
        if not entry.is_grant
    ]


def _find_own_call(tables: Tables, caller: Caller, key: str) -> Entry:
    """The entry of a call that the caller's run has reserved in an account that it may use."""
    account = admit_caller(tables, caller)
    return _require_call(tables.entry(account.name, key), key, caller.run)


def _require_call(entry: Entry | None, key: str, run: str | None = None) -> Entry:
    if entry is None or entry.is_grant:
        raise ReservationClosed(key, entry.status if entry else "unknown")
    if run is not None and entry.run != run:
        raise KeyReused(key, f"belongs to run {entry.run!r}")
    return entry
