"""The rules of the ledger, as pure functions: what fits, and what an act makes of an entry.

Nothing else decides these: storage only stores. Amounts are plain tuples in the order of
`RESOURCES`, since a ledger adds them up far more often than it shows them.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import repeat
from typing import NamedTuple

from thrifty.budget import Budget, InvalidInput, LedgerUnavailable, ReservationClosed, Spend
from thrifty.budget.limits import LimitAmounts, tighter_limits
from thrifty.budget.resources import COST, LATENCY, RESOURCES, TOKENS, TOOL_CALLS
from thrifty.budget.spend import Amounts
from thrifty.budget.validate import AMOUNT_MAX
from thrifty.ledger.protocol import Balance, Entry, EntryStatus

ZERO_AMOUNTS: Amounts = (0, 0, 0, 0)

UNDER_WAY: tuple[EntryStatus, ...] = ("unsent", "pending")
"""The states of an open call: nothing is charged yet."""


class StoredAccount(NamedTuple):
    """An account as it is stored."""

    name: str
    parent: str
    """The account that granted a sub-agent's, else empty."""
    limits: LimitAmounts
    spent: Amounts
    """Always the sum of what its entries charge."""
    reserved: Amounts
    """Always the sum of what its entries still hold."""
    over: Amounts
    """By how much spent and reserved pass the limits, after an overrun or a lowered limit.

    A reservation leaves it as it is, so that the database can refuse one that does not fit.
    """


# The next three are written out, since `map` and `zip` take twice as long, and each call of a run
# goes through them several times.
def add_amounts(a: Amounts, b: Amounts) -> Amounts:
    """The sum."""
    a0, a1, a2, a3 = a
    b0, b1, b2, b3 = b
    return a0 + b0, a1 + b1, a2 + b2, a3 + b3


def replace_term(total: Amounts, out: Amounts, into: Amounts) -> Amounts:
    """A sum after one of its terms has become another."""
    t0, t1, t2, t3 = total
    o0, o1, o2, o3 = out
    i0, i1, i2, i3 = into
    return t0 - o0 + i0, t1 - o1 + i1, t2 - o2 + i2, t3 - o3 + i3


def excess_amounts(a: Amounts, b: Amounts) -> Amounts:
    """By how much the first are more than the second, and zero where they are not."""
    a0, a1, a2, a3 = a
    b0, b1, b2, b3 = b
    return max(0, a0 - b0), max(0, a1 - b1), max(0, a2 - b2), max(0, a3 - b3)


def shortfall(account: StoredAccount, worst_case: Amounts) -> dict[str, int]:
    """By how much a worst case does not fit beside what is spent and reserved. Empty if it does.

    Time is not the ledger's to limit. Without a limit, the largest amount there is limits.
    """
    tokens, cost, _, calls = add_amounts(add_amounts(account.spent, account.reserved), worst_case)
    tokens_max, cost_max, _, calls_max = account.limits
    short = {}
    if tokens > (AMOUNT_MAX if tokens_max is None else tokens_max):
        short[TOKENS.name] = tokens - (AMOUNT_MAX if tokens_max is None else tokens_max)
    if cost > (AMOUNT_MAX if cost_max is None else cost_max):
        short[COST.name] = cost - (AMOUNT_MAX if cost_max is None else cost_max)
    if calls > (AMOUNT_MAX if calls_max is None else calls_max):
        short[TOOL_CALLS.name] = calls - (AMOUNT_MAX if calls_max is None else calls_max)
    return short


def growth_shortfall(parent: StoredAccount, growth: Amounts) -> dict[str, int]:
    """By how much a grant cannot grow, of the resources in which it does grow.

    So giving back is never refused, and a share of nothing can be had of an account that is over.
    """
    short = shortfall(parent, growth)
    pairs = zip(RESOURCES, growth, strict=True)
    return {r.name: short[r.name] for r, more in pairs if more and r.name in short}


def growth(before: Entry, after: Entry) -> Amounts:
    """What an entry holds more once it has become another."""
    return excess_amounts(held_amounts(after), held_amounts(before))


def held_amounts(entry: Entry) -> Amounts:
    """What is still held for an entry: what was reserved and is not charged yet."""
    status = entry.status
    if status in ("pending", "unsent"):
        return entry.reserved.amounts
    if status == "granted":
        return excess_amounts(entry.reserved.amounts, entry.charged.amounts)
    return ZERO_AMOUNTS


def with_reservation(account: StoredAccount, entry: Entry) -> StoredAccount:
    """The account once a new entry, which fits, is in it."""
    name, parent, limits, spent, reserved, over = account
    return StoredAccount(
        name, parent, limits, spent, add_amounts(reserved, entry.reserved.amounts), over
    )


def with_changed_entry(account: StoredAccount, before: Entry, after: Entry) -> StoredAccount:
    """The account once one of its entries has become another."""
    name, parent, limits, spent, reserved, over = account
    spent = replace_term(spent, before.charged.amounts, after.charged.amounts)
    reserved = replace_term(reserved, held_amounts(before), held_amounts(after))
    return with_current_over(StoredAccount(name, parent, limits, spent, reserved, over))


def with_current_over(account: StoredAccount) -> StoredAccount:
    """The account with its excess over its limits stated as it is."""
    tokens, cost, _, calls = add_amounts(account.spent, account.reserved)
    tokens_max, cost_max, _, calls_max = account.limits
    over = (
        0 if tokens_max is None or tokens <= tokens_max else tokens - tokens_max,
        0 if cost_max is None or cost <= cost_max else cost - cost_max,
        0,
        0 if calls_max is None or calls <= calls_max else calls - calls_max,
    )
    return account if over == account.over else account._replace(over=over)


def with_status(
    entry: Entry,
    status: EntryStatus,
    charged: Spend,
    answer: str = "",
    out_of: tuple[EntryStatus, ...] = UNDER_WAY,
) -> Entry:
    """What a call becomes, once.

    Raises:
        ReservationClosed: it is in none of the states that it may come out of.
    """
    if entry.status not in out_of:
        raise ReservationClosed(entry.key, entry.status)
    key, label, _, reserved, _, _, fingerprint, run = entry
    return Entry(key, label, status, reserved, charged, answer, fingerprint, run)


def full_charge(entry: Entry, latency_ms: int = 0) -> Spend:
    """All that was reserved for a call, and the time it is known to have taken."""
    return replace(entry.reserved, latency_ms=latency_ms)


def close_abandoned(entry: Entry) -> Entry:
    """What becomes of an open call whose owner is gone: never forgotten, unless never sent."""
    if entry.status == "unsent":
        return with_status(entry, "released", Spend())
    return with_status(entry, "in_doubt", full_charge(entry))


def share_of(child: StoredAccount) -> Spend:
    """What a parent holds and has paid for a sub-agent: its limits or, without one, its spending.

    Limits that were lowered under what the sub-agent has reserved go down as that is settled:
    until then its parent cannot have it back.
    """
    resources = zip(child.limits, child.spent, child.reserved, strict=True)
    return as_spend(
        spent if limit is None else max(limit, spent + reserved) if reserved else limit
        for limit, spent, reserved in resources
    )


def with_child(grant: Entry, child: StoredAccount) -> Entry:
    """A grant as the sub-agent's account stands now."""
    if grant.status == "returned":
        return grant._replace(charged=as_spend(child.spent))
    return grant._replace(reserved=share_of(child), charged=as_spend(child.spent))


def with_limits_at_spent(account: StoredAccount) -> StoredAccount:
    """The account with limits at what is spent, so that nothing fits in it any more."""
    tokens, cost, _, calls = account.spent
    spent: LimitAmounts = tokens, cost, None, calls
    return with_current_over(account._replace(limits=tighter_limits(account.limits, spent)))


def check_share(field: str, share: LimitAmounts, parent: LimitAmounts) -> None:
    """A sub-agent has no limit less than its parent, but for time.

    Raises:
        InvalidInput: the share leaves a resource open that the parent limits.
    """
    for resource, mine, limit in zip(RESOURCES, share, parent, strict=True):
        if resource is not LATENCY and mine is None and limit is not None:
            where = f"{field}.{resource.limit_field}"
            raise InvalidInput(where, None, "set a limit, as the account it is taken from has one")


def check_sums(account: StoredAccount, entries: Iterable[Entry]) -> None:
    """The counters are the sums of the entries.

    Raises:
        LedgerUnavailable: they are not, so that somebody has changed the tables by hand.
    """
    spent, reserved = ZERO_AMOUNTS, ZERO_AMOUNTS
    for entry in entries:
        spent = add_amounts(spent, entry.charged.amounts)
        reserved = add_amounts(reserved, held_amounts(entry))
    if (spent, reserved) != (account.spent, account.reserved):
        raise LedgerUnavailable(
            f"the entries of account {account.name!r} do not add up to its counters; "
            "restore the ledger from a backup"
        )


def balance_of(account: StoredAccount) -> Balance:
    """The account as its owner sees it."""
    return Balance(
        Budget.of_limits(account.limits), as_spend(account.spent), as_spend(account.reserved)
    )


def as_spend(amounts: Iterable[int]) -> Spend:
    """A sum as a `Spend`. Only overruns can pass the largest amount, and are cut to it."""
    return Spend(*map(min, amounts, repeat(AMOUNT_MAX)))
