"""The rules of the ledger, as pure functions: what fits, and what an act makes of an entry.

Nothing else decides these: storage only stores. Amounts are plain tuples in the order of
`RESOURCES`, since a ledger adds them up far more often than it shows them.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import repeat

from thrifty.budget import ReservationClosed, Spend
from thrifty.budget.limits import LimitAmounts
from thrifty.budget.resources import COST, RESOURCES, TOKENS, TOOL_CALLS
from thrifty.budget.spend import Amounts
from thrifty.budget.validate import AMOUNT_MAX
from thrifty.ledger.records import OPEN_STATUSES, Entry, EntryStatus, make_entry
from thrifty.ledger.storage import Counter, make_counter

ZERO_AMOUNTS: Amounts = (0, 0, 0, 0)
SUM_MAX = 2**62
"""The most that is used of what has no limit, over the life of an account that serves for years.
A database adds up to 2^63, and the difference is for overruns: each is at most `AMOUNT_MAX`."""

NO_SPEND = Spend()

NO_ENTRY = Entry("", "", "released", NO_SPEND)
"""What holds and costs nothing."""
UNDER_WAY: tuple[EntryStatus, ...] = ("unsent", "pending")
"""The states of an open call: nothing is charged yet."""


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


def shortfall(limits: LimitAmounts, used: Amounts, worst_case: Amounts) -> dict[str, int]:
    """By how much a worst case does not fit beside what is used. Empty if it does.

    Time is not the ledger's to limit. Without a limit, only what a database can add up does.
    """
    u0, u1, _, u3 = used
    w0, w1, _, w3 = worst_case
    tokens_max, cost_max, _, calls_max = limits
    short = {}
    if (over := u0 + w0 - (SUM_MAX if tokens_max is None else tokens_max)) > 0:
        short[TOKENS.name] = over
    if (over := u1 + w1 - (SUM_MAX if cost_max is None else cost_max)) > 0:
        short[COST.name] = over
    if (over := u3 + w3 - (SUM_MAX if calls_max is None else calls_max)) > 0:
        short[TOOL_CALLS.name] = over
    return short


def shortfall_of_more(limits: LimitAmounts, used: Amounts, more: Amounts) -> dict[str, int]:
    """By how much something more does not fit. What is over in another resource is no hindrance."""
    if not any(more):
        return {}
    short = shortfall(limits, used, more)
    wanted = {resource.name for resource, amount in zip(RESOURCES, more, strict=True) if amount}
    return {name: by for name, by in short.items() if name in wanted}


def held_amounts(entry: Entry) -> Amounts:
    """What is still held for an entry: what was reserved and is not charged yet."""
    return entry.reserved.amounts if entry.status in OPEN_STATUSES else ZERO_AMOUNTS


# The next ones and `with_status` make tuples anew, since `_replace` takes far longer.
def with_place(entry: Entry, at_ms: int, counters: tuple[int, ...]) -> Entry:
    """An entry that fits, once it is known when it is reserved, and in which counters."""
    return make_entry((*entry[:10], at_ms, entry.tags, counters))


def with_reservation(counter: Counter, held: Amounts) -> Counter:
    """The counter once something more, which fits, is held in it."""
    number, account, period, starts_ms, ends_ms, limits, spent, reserved, over, told = counter
    reserved = add_amounts(reserved, held)
    window = account, period, starts_ms, ends_ms
    return make_counter((number, *window, limits, spent, reserved, over, told))


def with_changed_entry(counter: Counter, before: Entry, after: Entry) -> Counter:
    """The counter once one of the entries that are booked in it has become another."""
    number, account, period, starts_ms, ends_ms, limits, spent, reserved, _, notified = counter
    spent = replace_term(spent, before.charged.amounts, after.charged.amounts)
    reserved = replace_term(reserved, held_amounts(before), held_amounts(after))
    over = _excess_over_limits(limits, add_amounts(spent, reserved))
    window = account, period, starts_ms, ends_ms
    return make_counter((number, *window, limits, spent, reserved, over, notified))


def with_entry(counter: Counter, entry: Entry) -> Counter:
    """The counter once an entry that it did not count, in whatever state, is booked in it."""
    return with_changed_entry(counter, NO_ENTRY, entry)


def with_limits(counter: Counter, limits: LimitAmounts) -> Counter:
    """The counter under other limits."""
    used = add_amounts(counter.spent, counter.reserved)
    return counter._replace(limits=limits, over=_excess_over_limits(limits, used))


def _excess_over_limits(limits: LimitAmounts, used: Amounts) -> Amounts:
    tokens, cost, _, calls = used
    tokens_max, cost_max, _, calls_max = limits
    return (
        0 if tokens_max is None or tokens <= tokens_max else tokens - tokens_max,
        0 if cost_max is None or cost <= cost_max else cost - cost_max,
        0,
        0 if calls_max is None or calls <= calls_max else calls - calls_max,
    )


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
    return make_entry((*entry[:2], status, entry.reserved, charged, answer, *entry[6:]))


def full_charge(entry: Entry, latency_ms: int = 0) -> Spend:
    """All that was reserved for a call, and the time it is known to have taken."""
    return replace(entry.reserved, latency_ms=latency_ms)


def close_abandoned(entry: Entry) -> Entry:
    """What becomes of an open call whose owner is gone: never forgotten, unless never sent."""
    if entry.status == "unsent":
        return with_status(entry, "released", NO_SPEND)
    return with_status(entry, "in_doubt", full_charge(entry))


def unused_limits(limits: LimitAmounts, used: Amounts = ZERO_AMOUNTS) -> Amounts:
    """What is left of each limit. Zero where there is none, or where it is passed."""
    tokens_max, cost_max, _, calls_max = limits
    return excess_amounts((tokens_max or 0, cost_max or 0, 0, calls_max or 0), used)


def adds_up(counter: Counter, entries: Iterable[Entry]) -> bool:
    """Whether a counter is the sum of these entries. Else somebody changed the tables by hand."""
    spent, reserved = ZERO_AMOUNTS, ZERO_AMOUNTS
    for entry in entries:
        spent = add_amounts(spent, entry.charged.amounts)
        reserved = add_amounts(reserved, held_amounts(entry))
    return (spent, reserved) == (counter.spent, counter.reserved)


def as_spend(amounts: Iterable[int]) -> Spend:
    """A sum as a `Spend`, cut to the largest amount: only what has no limit comes so far."""
    return Spend(*map(min, amounts, repeat(AMOUNT_MAX)))
