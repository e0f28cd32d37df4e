"""The counters in which a call of this moment is booked, and what they have left."""

from typing import NamedTuple

from thrifty.budget import LedgerUnavailable
from thrifty.budget.limits import LimitAmounts
from thrifty.budget.periods import MINUTE_BUCKET_MS, MINUTE_BUCKETS, Period, window_of
from thrifty.budget.spend import Amounts
from thrifty.ledger import rules
from thrifty.ledger.records import maker_of
from thrifty.ledger.rules import ZERO_AMOUNTS
from thrifty.ledger.storage import Account, Counter, Tables

WHOLE_LIFE = 0, 2**62
"""The window of the period `run`."""
MINUTE_MS = (MINUTE_BUCKETS - 1) * MINUTE_BUCKET_MS
NOT_STORED = 0
"""The number of a counter or an account that the storage has not numbered yet."""


class CurrentCounter(NamedTuple):
    """The counter of an account for the current window of one of its periods."""

    account: Account
    counter: Counter
    used: Amounts
    """What counts against its limits now: of a minute, the six windows before as well."""


make_current = maker_of(CurrentCounter)


def account_path(tables: Tables, account: Account) -> list[Account]:
    """The account and those above it, up to the root."""
    if not account.ancestors:
        return [account]
    return [account, *map(tables.account_by_id, reversed(account.ancestors))]


def current_counters(tables: Tables, account: Account) -> list[CurrentCounter]:
    """The counters in which a call of this moment is booked, from the account up to the root.

    Those of windows in which nothing was booked yet are made up, and not stored.
    """
    found = []
    for each in account_path(tables, account):
        for period, limits in each.limits:
            # Most have this period alone, and each call of a run comes by here.
            window = WHOLE_LIFE if period == "run" else window_at(tables, period, each.zone)
            starts_ms, ends_ms = window
            counter = tables.counter_at(each.id, period, starts_ms)
            if counter is None and period == "run":
                raise _no_counter(each)
            if counter is None:
                counter = new_counter(each.id, period, window, limits)
            elif counter.limits != limits:  # they were changed after its first call
                counter = rules.with_limits(counter, limits)
            if counter.ends_ms != ends_ms:  # the zone was
                counter = counter._replace(ends_ms=ends_ms)
            spent, reserved = counter.spent, counter.reserved
            if period == "minute":
                spent, reserved = used_in(tables, counter)
            used = rules.add_amounts(spent, reserved)
            found.append(make_current((each, counter, used)))
    return found


def new_counter(
    account: int, period: Period, window: tuple[int, int], limits: LimitAmounts
) -> Counter:
    """The counter of a window in which nothing is booked yet."""
    zero = ZERO_AMOUNTS
    return Counter(NOT_STORED, account, period, *window, limits, zero, zero, zero)


def run_counter(tables: Tables, account: Account) -> Counter:
    """The counter of the account's whole life."""
    counter = tables.counter_at(account.id, "run", 0)
    if counter is None:
        raise _no_counter(account)
    return counter


def _no_counter(account: Account) -> LedgerUnavailable:
    """Somebody has changed the tables by hand. A new counter would be a new budget."""
    return LedgerUnavailable(
        f"what account {account.name!r} has spent is missing; restore the ledger from a backup"
    )


def resets_at_ms(tables: Tables, counter: Counter) -> int | None:
    """When the window ends; of a minute, when the first of what it counts no longer counts."""
    if counter.period == "run":
        return None
    if counter.period != "minute":
        return counter.ends_ms
    counted = _counted_in_minute(tables, counter)
    ends_ms = [each.ends_ms for each in counted if any(each.spent) or any(each.reserved)]
    return min(ends_ms, default=counter.ends_ms) + MINUTE_MS


def window_at(tables: Tables, period: Period, zone: str) -> tuple[int, int]:
    """The window of a period that this moment is in."""
    return WHOLE_LIFE if period == "run" else window_of(period, zone, tables.now_ms())


def counted_since_ms(tables: Tables, period: Period, zone: str) -> int:
    """Since when a period counts what is booked: of a minute, since six windows before this one."""
    starts_ms, _ = window_at(tables, period, zone)
    return starts_ms - MINUTE_MS if period == "minute" else starts_ms


def used_in(tables: Tables, counter: Counter) -> tuple[Amounts, Amounts]:
    """What is spent and what is reserved against the limits of a counter now."""
    if counter.period != "minute":
        return counter.spent, counter.reserved
    spent, reserved = ZERO_AMOUNTS, ZERO_AMOUNTS
    for each in _counted_in_minute(tables, counter):
        spent = rules.add_amounts(spent, each.spent)
        reserved = rules.add_amounts(reserved, each.reserved)
    return spent, reserved


def _counted_in_minute(tables: Tables, counter: Counter) -> list[Counter]:
    """The windows of ten seconds that a minute's limit counts.

    Those that begin later count as well, where the clock was put back: no minute gets twice its
    limit by that.
    """
    return tables.minute_counters(counter.account, counter.starts_ms - MINUTE_MS)
