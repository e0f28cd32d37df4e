"""What the acts on whole accounts do to the books: limits, grants, leases."""

from dataclasses import replace

from thrifty.budget import BudgetExceeded, KeyReused, ReservationClosed
from thrifty.ledger import rules
from thrifty.ledger.calls import Caller, admitted, known, lost, post
from thrifty.ledger.protocol import Entry, Lease
from thrifty.ledger.rules import NOTHING, AccountState, Limits
from thrifty.ledger.store import Books


def open_account(books: Books, caller: Caller, limits: Limits) -> AccountState:
    account = books.account(caller.account)
    if account is None:
        account = _new(caller.account, "", limits)
        books.add_account(account)
        return account
    if account.parent:
        limits = rules.lower_limits(account.limits, limits)
    if limits != account.limits:
        admitted(books, caller)
    return _with_limits(books, account, limits)


def extend(books: Books, name: str, limits: Limits) -> AccountState:
    return _with_limits(books, known(books, name), limits)


def _with_limits(books: Books, account: AccountState, limits: Limits) -> AccountState:
    if limits == account.limits:
        return account
    _check_children(books, account, limits)
    changed = rules.with_over(account._replace(limits=limits))
    if account.parent:
        _resize_grant(books, changed)
    books.set_account(changed)
    return changed


def _check_children(books: Books, account: AccountState, limits: Limits) -> None:
    """What is limited from now on has to be limited in the sub-agents' accounts too."""
    pairs = zip(account.limits, limits, strict=True)
    if any(before is None and after is not None for before, after in pairs):
        for entry in books.open_entries(account.name):
            if entry.is_grant:
                rules.check_share(entry.key, known(books, entry.key).limits, limits)


def _resize_grant(books: Books, child: AccountState) -> None:
    """Takes from a parent what its sub-agent's limits grew by, or gives it back."""
    parent = known(books, child.parent)
    before = _grant(books, parent.name, child.name)
    if before.status == "returned":
        raise ReservationClosed(child.name, before.status)
    rules.check_share("budget", child.limits, parent.limits)
    after = rules.with_child(before, child)
    if short := rules.missing_to_grow(parent, rules.growth(before, after)):
        raise BudgetExceeded(short, before.label)
    post(books, parent, before, after)


def grant(books: Books, caller: Caller, child: str, limits: Limits, label: str) -> AccountState:
    existing = books.account(child)
    parent, found = admitted(books, caller, child)
    if existing is not None:
        if existing.parent != parent.name:
            raise KeyReused(child, "is the account of somebody else")
        return existing
    if found is not None:
        raise KeyReused(child, "stands for a call")
    rules.check_share("share", limits, parent.limits)
    account = _new(child, parent.name, limits)
    entry = Entry(child, label, "granted", rules.share_of(account), run=caller.run)
    if short := rules.missing_to_grow(parent, entry.reserved.amounts):
        raise BudgetExceeded(short, label)
    books.add_entry(parent.name, entry)
    books.set_account(rules.with_reserved(parent, entry))
    books.add_account(account)
    return account


def reclaim(books: Books, caller: Caller, child: str) -> Entry:
    books.account(child)  # locked before its parent, as everywhere
    parent, _ = admitted(books, caller)
    entry = _grant(books, parent.name, child)
    return entry if entry.status == "returned" else _wind_up(books, parent.name, child)


def _wind_up(books: Books, parent: str, child: str) -> Entry:
    """Closes an account with all that hangs on it, and returns the rest of its grant."""
    for entry in books.open_entries(child):
        if entry.is_grant:
            _wind_up(books, child, entry.key)
    _give_up(books, child, None)
    books.set_account(rules.shut(known(books, child)))
    before = _grant(books, parent, child)
    return post(books, known(books, parent), before, before._replace(status="returned"))


def take(books: Books, name: str, run: str, owner: str, over: int | None, now_ms: int) -> Lease:
    known(books, name)
    last = books.lease(name, run)
    if last is not None and last.owner:
        if last.owner == owner:
            return last
        if last.fence != over:
            raise lost(last)
    _give_up(books, name, run)
    lease = Lease(name, run, owner, last.fence + 1 if last else 1, now_ms)
    books.set_lease(lease)
    return lease


def leave(books: Books, lease: Lease, now_ms: int) -> None:
    admitted(books, Caller.of(lease))
    books.set_lease(replace(lease, owner="", since_ms=now_ms))


def _give_up(books: Books, name: str, run: str | None) -> None:
    """Closes the open calls of a run that nobody will settle any more; of all runs for None."""
    for entry in books.open_entries(name):
        if not entry.is_grant and run in (None, entry.run):
            post(books, known(books, name), entry, rules.given_up(entry))


def _grant(books: Books, parent: str, child: str) -> Entry:
    entry = books.entry(parent, child)
    if entry is None or not entry.is_grant:
        raise ReservationClosed(child, entry.status if entry else "unknown")
    return entry


def _new(name: str, parent: str, limits: Limits) -> AccountState:
    return AccountState(name, parent, limits, NOTHING, NOTHING, NOTHING)
