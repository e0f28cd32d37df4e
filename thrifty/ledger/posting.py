"""Posts entries to the counters: where a call fits, and what each change of an entry changes.

A call is posted in every current counter of its account and of the accounts above it. What is
held for a sub-agent's account (a grant) shrinks by what that account uses, and grows back by what
it does not: so the sub-agent's calls always find what was promised.
"""

from thrifty.budget import AccountClosed, BudgetExceeded
from thrifty.budget.resources import RESOURCES
from thrifty.budget.spend import Amounts
from thrifty.ledger import rules, windows
from thrifty.ledger.records import Entry
from thrifty.ledger.storage import Account, Tables
from thrifty.ledger.windows import CurrentCounter


def find_room(
    tables: Tables, account: Account, worst_case: Amounts, what: str
) -> list[CurrentCounter]:
    """The counters in which a worst case is to be posted, once it is certain that it fits.

    Raises:
        AccountClosed: the account, or one above it, was closed.
        BudgetExceeded: it does not fit in one of them.
    """
    found = windows.current_counters(tables, account)
    for current in found:
        if current.account.is_closed:  # before any limit, which one might wait for
            raise AccountClosed(current.account.name)
    below, more, is_held = account, worst_case, False
    for current in found:
        counter = current.counter
        if current.account is not below:
            if below.is_granted:
                # What is held for the account below pays for the call: it is counted here already.
                more, is_held = rules.excess_amounts(more, _held_for(tables, below)), True
            below = current.account
        if is_held and counter.period == "run":
            short = rules.shortfall_of_more(counter.limits, current.used, more)
        else:
            short = rules.shortfall(counter.limits, current.used, worst_case)
        if short:
            raise _not_fitting_error(tables, account, current, short, what)
    return found


def find_room_to_hold(
    tables: Tables, account: Account, amounts: Amounts, what: str
) -> list[CurrentCounter]:
    """The counters of whole lives in which something more is to be held for a sub-agent, if it
    fits. What is held for the account itself pays for it in those above.

    Raises:
        BudgetExceeded: it does not fit in one of them.
    """
    found = [c for c in windows.current_counters(tables, account) if c.counter.period == "run"]
    more = amounts
    for current in found:
        if short := rules.shortfall_of_more(current.counter.limits, current.used, more):
            raise _not_fitting_error(tables, account, current, short, what)
        more = rules.excess_amounts(more, _held_for(tables, current.account))
    return found


def post_new(
    tables: Tables, counters: list[CurrentCounter], wanted: Entry, *, is_known: bool
) -> Entry:
    """Writes an entry that fits, and holds what it reserves in its counters.

    Args:
        tables: the rows.
        counters: those that `find_room` found.
        wanted: the entry.
        is_known: whether a released entry stands under its key, which it replaces.
    """
    stored = {}
    for current in counters:
        counter = current.counter
        if counter.id == windows.NOT_STORED:
            counter = tables.add_counter(counter)
        stored[counter.id] = counter
    entry = rules.with_place(wanted, tables.now_ms(), tuple(stored))
    # The keyed row first: where two race for one key, it is what stops the second one
    # before it has counted anything.
    if is_known:
        tables.set_entry(entry)
    else:
        tables.add_entry(entry)
    held = wanted.reserved.amounts
    for counter in stored.values():
        tables.set_counter(rules.with_reservation(counter, held))
    for current in counters:
        if current.account.is_granted and current.counter.period == "run":
            update_hold(tables, current.account)
    return entry


def post_change(tables: Tables, before: Entry, after: Entry) -> Entry:
    """Writes what an entry has become, and changes the counters in which it was posted.

    In exactly those, whatever limits, parents or the clock have become meanwhile.
    """
    tables.set_entry(after)
    tables.lock_counters(before.counters)
    for number in before.counters:
        counter = tables.counter(number)
        tables.set_counter(rules.with_changed_entry(counter, before, after))
        if counter.period == "run":
            update_hold(tables, tables.account_by_id(counter.account))
    return after


def update_hold(tables: Tables, account: Account) -> None:
    """Holds for a sub-agent's account what it has not used of its limits, and no more."""
    if account.is_granted and (grant := find_grant(tables, account)).status == "granted":
        run = windows.run_counter(tables, account)
        unused = rules.unused_limits(run.limits, rules.add_amounts(run.spent, run.reserved))
        post_change(tables, grant, grant._replace(reserved=rules.as_spend(unused)))


def find_grant(tables: Tables, account: Account) -> Entry:
    """The entry in the parent of a sub-agent's account that holds its limits for it."""
    parent = tables.account_by_id(account.ancestors[-1])
    grant = tables.entry(parent.name, account.name)
    assert grant is not None, "a granted account has an entry in its parent's"
    return grant


def _held_for(tables: Tables, account: Account) -> Amounts:
    if not account.is_granted:
        return rules.ZERO_AMOUNTS
    return rules.held_amounts(find_grant(tables, account))


def _not_fitting_error(
    tables: Tables, asked: Account, current: CurrentCounter, short: dict[str, int], what: str
) -> BudgetExceeded:
    counter, account = current.counter, current.account
    used = dict(zip((resource.name for resource in RESOURCES), current.used, strict=True))
    return BudgetExceeded(
        short,
        what,
        account=account.name,
        period=counter.period,
        resets_at_ms=windows.resets_at_ms(tables, counter),
        zone=account.zone,
        is_shared=account.id != asked.id,
        is_beyond_window=any(by > used[name] for name, by in short.items()),
    )
