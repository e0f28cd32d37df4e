"""What the acts on single calls do to the tables, each within one transaction."""

from typing import NamedTuple

from thrifty.budget import BudgetExceeded, KeyReused, LeaseLost, ReservationClosed, Spend
from thrifty.ledger import rules
from thrifty.ledger.protocol import AccountOrLease, Entry, Lease
from thrifty.ledger.rules import StoredAccount
from thrifty.ledger.storage import Tables

NO_FENCE = 0


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


def require_account(tables: Tables, name: str) -> StoredAccount:
    """An account that was opened."""
    account = tables.account(name)
    if account is None:
        raise KeyError(name)
    return account


def admit_caller(
    tables: Tables, caller: Caller, key: str = ""
) -> tuple[StoredAccount, Entry | None]:
    """The caller's account, if the caller may spend from it, and its entry of a key.

    The account is locked first, so that nobody can take the run over meanwhile.
    """
    account = require_account(tables, caller.account)
    lease = tables.lease(account.name, caller.run)
    if caller.fence != (lease.fence if lease and lease.owner else NO_FENCE):
        raise lease_lost_error(lease or Lease(caller.account, caller.run, "", NO_FENCE, 0))
    return account, tables.entry(account.name, key) if key else None


def lease_lost_error(lease: Lease) -> LeaseLost:
    """The refusal of everybody but the one who holds a lease."""
    return LeaseLost(lease.run, lease.owner, lease.since_ms, lease.fence)


def reserve(tables: Tables, caller: Caller, wanted: Entry) -> Entry:
    account, before = admit_caller(tables, caller, wanted.key)
    if before is not None:
        before = _confirm_same_call(tables, caller, before, wanted)
        if before.status != "released":
            return before
    if short := rules.shortfall(account, wanted.reserved.amounts):
        raise BudgetExceeded(short, wanted.label)
    # The keyed row first: where two race for one key, it is what stops the second one
    # before it has counted anything.
    if before is None:
        tables.add_entry(account.name, wanted)
    else:
        tables.set_entry(account.name, wanted)
    tables.set_account(rules.with_reservation(account, wanted))
    return wanted


def _confirm_same_call(tables: Tables, caller: Caller, before: Entry, wanted: Entry) -> Entry:
    """The entry of a known key, once it is certain that the same call is meant."""
    if before.is_grant:
        raise KeyReused(before.key, "names the account of a sub-agent")
    if before.run != caller.run:
        raise KeyReused(before.key, f"belongs to run {before.run!r}")
    if before.fingerprint and wanted.fingerprint and before.fingerprint != wanted.fingerprint:
        raise KeyReused(before.key, "stands for another request")
    if wanted.fingerprint and not before.fingerprint:
        before = before._replace(fingerprint=wanted.fingerprint)
        tables.set_entry(caller.account, before)
    return before


def mark_sent(tables: Tables, caller: Caller, key: str) -> Entry:
    account, entry = _find_own_call(tables, caller, key)
    sent = rules.with_status(entry, "pending", Spend(), out_of=("unsent",))
    return post_change(tables, account, entry, sent)


def settle(tables: Tables, caller: Caller, key: str, actual: Spend, answer: str) -> Entry:
    account, entry = _find_own_call(tables, caller, key)
    if entry.status == "settled":
        return entry
    return post_change(tables, account, entry, rules.with_status(entry, "settled", actual, answer))


def charge_in_full(tables: Tables, caller: Caller, key: str, latency_ms: int) -> Entry:
    account, entry = _find_own_call(tables, caller, key)
    if entry.status == "in_doubt":
        return entry
    charged = rules.full_charge(entry, latency_ms)
    return post_change(tables, account, entry, rules.with_status(entry, "in_doubt", charged))


def release(tables: Tables, caller: Caller, key: str) -> Entry:
    account, entry = _find_own_call(tables, caller, key)
    if entry.status == "released":
        return entry
    return post_change(tables, account, entry, rules.with_status(entry, "released", Spend()))


def reconcile(tables: Tables, name: str, key: str, actual: Spend) -> Entry:
    account = require_account(tables, name)
    entry = _require_call(tables.entry(name, key), key)
    if entry.status == "settled" and entry.charged == actual:
        return entry
    settled = rules.with_status(entry, "settled", actual, out_of=("in_doubt",))
    return post_change(tables, account, entry, settled)


def _find_own_call(tables: Tables, caller: Caller, key: str) -> tuple[StoredAccount, Entry]:
    """The caller's account, and in it the entry of a call that its run has reserved."""
    account, entry = admit_caller(tables, caller, key)
    call = _require_call(entry, key)
    if call.run != caller.run:
        raise KeyReused(key, f"belongs to run {call.run!r}")
    return account, call


def _require_call(entry: Entry | None, key: str) -> Entry:
    if entry is None or entry.is_grant:
        raise ReservationClosed(key, entry.status if entry else "unknown")
    return entry


def post_change(tables: Tables, account: StoredAccount, before: Entry, after: Entry) -> Entry:
    """Writes what an entry has become, and carries what it costs up to every parent."""
    tables.set_entry(account.name, after)
    changed = rules.with_changed_entry(account, before, after)
    tables.set_account(changed)
    if changed.parent and (changed.spent, changed.over) != (account.spent, account.over):
        # Accounts are locked from the sub-agent upwards, so that two never wait for each other.
        parent = require_account(tables, changed.parent)
        grant = tables.entry(parent.name, changed.name)
        assert grant is not None, "a sub-agent's account stands in its parent's"
        if grant.status == "returned":
            # A doubt has cost less than was charged: that is its parent's to spend by now.
            tables.set_account(rules.with_limits_at_spent(changed))
        post_change(tables, parent, grant, rules.with_child(grant, changed))
    return after
