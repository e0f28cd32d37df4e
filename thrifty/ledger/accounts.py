"""What the acts on whole accounts do to the tables: their place, their limits, their end."""

from thrifty.budget import AccountClosed, Budget, InvalidInput, LedgerUnavailable
from thrifty.budget.limits import LimitAmounts, tighter_limits
from thrifty.budget.periods import Period, window_of
from thrifty.ledger import posting, rules, windows
from thrifty.ledger.calls import Caller, admit_caller, require_account
from thrifty.ledger.records import AccountInfo, Balance, Entry, PeriodBalance
from thrifty.ledger.storage import Account, Counter, Tables
from thrifty.ledger.windows import CurrentCounter

DEPTH_MAX = 8
"""How many accounts a call can be booked in: each costs a row to lock and to write."""

PeriodLimits = tuple[tuple[Period, LimitAmounts], ...]


def open_account(
    tables: Tables, caller: Caller, limits: PeriodLimits, parent: str | None, zone: str | None
) -> Account:
    account = tables.account(caller.account)
    if account is None:
        if parent is not None:
            require_open_path(tables, require_account(tables, parent))
        return new_account(tables, caller.account, limits, parent, zone)
    _require_not_closed(account)
    if parent is not None and parent_name(tables, account) != parent:
        where = repr(parent_name(tables, account)) if account.ancestors else "no account"
        raise InvalidInput("parent", parent, f"{account.name!r} stands under {where}; use move")
    if account.is_granted:
        (_, run_limits), *others = limits
        limits = (("run", tighter_limits(account.limits[0][1], run_limits)), *others)
    if limits != account.limits or zone not in (None, account.zone):
        admit_caller(tables, caller)
    return change_limits(tables, account, limits, zone)


def new_account(
    tables: Tables,
    name: str,
    limits: PeriodLimits,
    parent: str | None,
    zone: str | None = None,
    *,
    is_granted: bool = False,
) -> Account:
    """Adds an account, with the counter of its whole life. Its zone is by default its parent's."""
    ancestors = () if parent is None else _path_under(tables, parent)
    zone = zone or (tables.account_by_id(ancestors[-1]).zone if ancestors else "UTC")
    account = tables.add_account(
        Account(windows.NOT_STORED, name, ancestors, limits, zone, is_granted, is_closed=False)
    )
    (_, run_limits), *_ = limits
    tables.add_counter(windows.new_counter(account.id, "run", windows.WHOLE_LIFE, run_limits))
    return account


def set_limits(tables: Tables, name: str, limits: PeriodLimits, zone: str | None) -> None:
    account = require_account(tables, name)
    _require_not_closed(account)
    change_limits(tables, account, limits, zone)


def require_open_path(tables: Tables, account: Account) -> None:
    """That neither the account nor one above it was closed.

    Raises:
        AccountClosed: the lowest that was.
    """
    for each in windows.account_path(tables, account):
        _require_not_closed(each)


def _require_not_closed(account: Account) -> None:
    if account.is_closed:
        raise AccountClosed(account.name)


def change_limits(
    tables: Tables, account: Account, limits: PeriodLimits, zone: str | None = None
) -> Account:
    """Gives an account other limits, from this moment on."""
    changed = account._replace(limits=limits, zone=zone or account.zone)
    if changed == account:
        return account
    run = windows.run_counter(tables, account)
    limited = rules.with_limits(run, limits[0][1])
    if account.is_granted:
        _require_room_for_hold(tables, account, run, limited)
    tables.set_account(changed)
    tables.set_counter(limited)
    posting.update_hold(tables, changed)
    same_windows = dict(account.limits) if changed.zone == account.zone else {}
    for period, amounts in limits[1:]:
        if period not in same_windows:
            _count_from_entries(tables, changed, period, amounts)
    return changed


def _require_room_for_hold(
    tables: Tables, account: Account, before: Counter, after: Counter
) -> None:
    """What is held for a sub-agent's account grows with its limits, and has to fit where it is."""
    grant = posting.find_grant(tables, account)
    if grant.status != "granted":
        return
    used = rules.add_amounts(before.spent, before.reserved)
    held, wanted = (rules.unused_limits(each.limits, used) for each in (before, after))
    more = rules.excess_amounts(wanted, held)
    parent = tables.account_by_id(account.ancestors[-1])
    posting.find_room_to_hold(tables, parent, more, grant.label)


def _count_from_entries(
    tables: Tables, account: Account, period: Period, limits: LimitAmounts
) -> None:
    """Counts what was booked in the current window of a period before the account had it.

    Whoever opens a day at noon limits what was spent since midnight, too.
    """
    since_ms = windows.counted_since_ms(tables, period, account.zone)
    run = windows.run_counter(tables, account)
    for entry in tables.booked_entries(run.id, since_ms):
        if entry.is_grant:
            continue  # held in the account's whole life alone
        window = window_of(period, account.zone, entry.at_ms)
        counter = tables.counter_at(account.id, period, window[0])
        if counter is None:
            counter = tables.add_counter(windows.new_counter(account.id, period, window, limits))
        if counter.id not in entry.counters:
            tables.set_entry(entry._replace(counters=(*entry.counters, counter.id)))
            tables.set_counter(rules.with_entry(counter, entry))


def move(tables: Tables, name: str, parent: str | None) -> None:
    account = require_account(tables, name)
    ancestors = () if parent is None else _path_under(tables, parent)
    if account.id in ancestors:
        raise InvalidInput("parent", parent, f"use an account that is not below {name!r}")
    family = [each for each in tables.accounts() if account.id in each.path]
    deepest = max(len(each.path) for each in family) - len(account.ancestors)
    if len(ancestors) + deepest > DEPTH_MAX:
        raise InvalidInput("parent", parent, f"use at most {DEPTH_MAX} levels of accounts")
    tables.lock({each.id for each in family})
    if any(entry.is_grant for each in family for entry in tables.open_entries(each.name)) or (
        account.is_granted and posting.find_grant(tables, account).is_open
    ):
        raise InvalidInput("account", name, "reclaim what is held for it or in it first")
    for each in family:
        below = each.ancestors[len(account.ancestors) :]
        is_granted = each.is_granted and each.id != account.id
        tables.set_account(each._replace(ancestors=(*ancestors, *below), is_granted=is_granted))


def close(tables: Tables, name: str) -> Account:
    account = require_account(tables, name)._replace(is_closed=True)
    tables.set_account(account)
    return account


def balance(tables: Tables, name: str) -> Balance:
    account = require_account(tables, name)
    counters = windows.current_counters(tables, account)
    is_closed = any(current.account.is_closed for current in counters)
    return Balance(tuple([_period_balance(tables, each) for each in counters]), is_closed)


def _period_balance(tables: Tables, current: CurrentCounter) -> PeriodBalance:
    account, counter = current.account, current.counter
    spent, reserved = windows.used_in(tables, counter)
    return PeriodBalance(
        account.name,
        counter.period,
        Budget.of_limits(counter.limits),
        rules.as_spend(spent),
        rules.as_spend(reserved),
        windows.resets_at_ms(tables, counter),
        account.zone,
    )


def account_info(tables: Tables, account: Account) -> AccountInfo:
    limits = {period: Budget.of_limits(amounts) for period, amounts in account.limits}
    parent = parent_name(tables, account)
    return AccountInfo(account.name, parent, limits, account.zone, account.is_closed)


def parent_name(tables: Tables, account: Account) -> str:
    """The name of the account above, or nothing for a root."""
    return tables.account_by_id(account.ancestors[-1]).name if account.ancestors else ""


def _path_under(tables: Tables, parent: str) -> tuple[int, ...]:
    path = require_account(tables, parent).path
    if len(path) >= DEPTH_MAX:
        raise InvalidInput("parent", parent, f"use at most {DEPTH_MAX} levels of accounts")
    return path


def read_entries(tables: Tables, name: str, *, below: bool) -> tuple[Entry, ...]:
    """The entries of an account, once it is certain that they add up to its counter."""
    account = require_account(tables, name)
    counter = windows.run_counter(tables, account)
    own = tables.entries(name)
    # Of an account with none below it, these are all. To find the others takes longer.
    if below or not rules.adds_up(counter, own):
        booked = tables.booked_entries(counter.id)
        if not rules.adds_up(counter, booked):
            raise LedgerUnavailable(
                f"the entries of account {name!r} do not add up to its counters; "
                "restore the ledger from a backup"
            )
    return tuple(booked if below else own)
