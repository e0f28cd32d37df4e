"""What the acts on whole accounts do to the tables: limits, grants, leases."""

from dataclasses import replace

from thrifty.budget import BudgetExceeded, KeyReused, ReservationClosed
from thrifty.budget.limits import LimitAmounts, tighter_limits
from thrifty.ledger import rules
from thrifty.ledger.calls import (
    Caller,
    admit_caller,
    lease_lost_error,
    post_change,
    require_account,
)
from thrifty.ledger.protocol import Entry, Lease
from thrifty.ledger.rules import ZERO_AMOUNTS, StoredAccount
from thrifty.ledger.storage import Tables


def open_account(tables: Tables, caller: Caller, limits: LimitAmounts) -> StoredAccount:
    account = tables.account(caller.account)
    if account is None:
        account = _new_account(caller.account, "", limits)
        tables.add_account(account)
        return account
    if account.parent:
        # Else a sub-agent could raise its own grant.
        limits = tighter_limits(account.limits, limits)
    if limits != account.limits:
        admit_caller(tables, caller)
    return _change_limits(tables, account, limits)


def extend(tables: Tables, name: str, limits: LimitAmounts) -> StoredAccount:
    return _change_limits(tables, require_account(tables, name), limits)


def _change_limits(tables: Tables, account: StoredAccount, limits: LimitAmounts) -> StoredAccount:
    if limits == account.limits:
        return account
    _check_children(tables, account, limits)
    changed = rules.with_current_over(account._replace(limits=limits))
    if account.parent:
        _resize_grant(tables, changed)
    tables.set_account(changed)
    return changed


def _check_children(tables: Tables, account: StoredAccount, limits: LimitAmounts) -> None:
    """What is limited from now on has to be limited in the sub-agents' accounts too."""
    pairs = zip(account.limits, limits, strict=True)
    if any(before is None and after is not None for before, after in pairs):
        for entry in tables.open_entries(account.name):
            if entry.is_grant:
                rules.check_share(entry.key, require_account(tables, entry.key).limits, limits)


def _resize_grant(tables: Tables, child: StoredAccount) -> None:
    """Takes from a parent what its sub-agent's limits grew by, or gives it back."""
    parent = require_account(tables, child.parent)
    before = _require_grant(tables, parent.name, child.name)
    if before.status == "returned":
        raise ReservationClosed(child.name, before.status)
    rules.check_share("budget", child.limits, parent.limits)
    after = rules.with_child(before, child)
    if short := rules.growth_shortfall(parent, rules.growth(before, after)):
        raise BudgetExceeded(short, before.label)
    post_change(tables, parent, before, after)


def grant(
    tables: Tables, caller: Caller, child: str, limits: LimitAmounts, label: str
) -> StoredAccount:
    existing = tables.account(child)
    parent, entry_before = admit_caller(tables, caller, child)
    if existing is not None:
        if existing.parent != parent.name:
            raise KeyReused(child, "is the account of somebody else")
        return existing
    if entry_before is not None:
        raise KeyReused(child, "stands for a call")
    rules.check_share("share", limits, parent.limits)
    account = _new_account(child, parent.name, limits)
    entry = Entry(child, label, "granted", rules.share_of(account), run=caller.run)
    if short := rules.growth_shortfall(parent, entry.reserved.amounts):
        raise BudgetExceeded(short, label)
    tables.add_entry(parent.name, entry)
    tables.set_account(rules.with_reservation(parent, entry))
    tables.add_account(account)
    return account


def reclaim(tables: Tables, caller: Caller, child: str) -> Entry:
    tables.account(child)  # locked before its parent, as everywhere
    parent, _ = admit_caller(tables, caller)
    entry = _require_grant(tables, parent.name, child)
    return (
        entry if entry.status == "returned" else _close_granted_account(tables, parent.name, child)
    )


def _close_granted_account(tables: Tables, parent: str, child: str) -> Entry:
    """Closes an account and its own sub-agents', and returns what is left of its grant."""
    for entry in tables.open_entries(child):
        if entry.is_grant:
            _close_granted_account(tables, child, entry.key)
    _close_abandoned_calls(tables, child, None)
    # Read anew: each call that was closed has changed the account.
    tables.set_account(rules.with_limits_at_spent(require_account(tables, child)))
    before = _require_grant(tables, parent, child)
    return post_change(
        tables, require_account(tables, parent), before, before._replace(status="returned")
    )


def take(
    tables: Tables, name: str, run: str, owner: str, over_fence: int | None, now_ms: int
) -> Lease:
    require_account(tables, name)
    last = tables.lease(name, run)
    if last is not None and last.owner:
        if last.owner == owner:
            return last
        # Of two who take the same lease over, the second names a fence that is no longer in force.
        if last.fence != over_fence:
            raise lease_lost_error(last)
    _close_abandoned_calls(tables, name, run)
    lease = Lease(name, run, owner, last.fence + 1 if last else 1, now_ms)
    tables.set_lease(lease)
    return lease


def give_back(tables: Tables, lease: Lease, now_ms: int) -> None:
    admit_caller(tables, Caller.of(lease))
    tables.set_lease(replace(lease, owner="", since_ms=now_ms))


def _close_abandoned_calls(tables: Tables, name: str, run: str | None) -> None:
    """Closes the open calls that nobody will settle any more: of one run, or of all for None."""
    for entry in tables.open_entries(name):
        if not entry.is_grant and run in (None, entry.run):
            post_change(tables, require_account(tables, name), entry, rules.close_abandoned(entry))


def _require_grant(tables: Tables, parent: str, child: str) -> Entry:
    entry = tables.entry(parent, child)
    if entry is None or not entry.is_grant:
        raise ReservationClosed(child, entry.status if entry else "unknown")
    return entry


def _new_account(name: str, parent: str, limits: LimitAmounts) -> StoredAccount:
    return StoredAccount(name, parent, limits, ZERO_AMOUNTS, ZERO_AMOUNTS, ZERO_AMOUNTS)
