"""What is held for sub-agents' accounts: how it is granted, and how it is freed."""

from thrifty.budget import KeyReused, ReservationClosed
from thrifty.budget.limits import LimitAmounts
from thrifty.ledger import posting, rules
from thrifty.ledger.accounts import new_account, require_open_path
from thrifty.ledger.calls import Caller, admit_caller, close_abandoned
from thrifty.ledger.owner import process_name
from thrifty.ledger.records import Entry
from thrifty.ledger.storage import Account, Tables


def grant(tables: Tables, caller: Caller, child: str, limits: LimitAmounts, label: str) -> Account:
    existing = tables.account(child)
    parent = admit_caller(tables, caller)
    entry_before = tables.entry(parent.name, child)
    if existing is not None:
        if not (existing.is_granted and existing.ancestors[-1] == parent.id):
            raise KeyReused(child, "is the account of somebody else")
        return existing
    if entry_before is not None:
        raise KeyReused(child, "stands for a call")
    require_open_path(tables, parent)
    held = rules.unused_limits(limits)
    room = posting.find_room_to_hold(tables, parent, held, label)
    account = new_account(tables, child, (("run", limits),), parent.name, is_granted=True)
    entry = Entry(
        child,
        label,
        "granted",
        rules.as_spend(held),
        run=caller.run,
        account=parent.name,
        owner=process_name(),
    )
    posting.post_new(tables, room, entry, is_known=False)
    return account


def reclaim(tables: Tables, caller: Caller, child: str) -> Entry:
    account = tables.account(child)
    parent = admit_caller(tables, caller)
    entry = tables.entry(parent.name, child)
    if account is None or entry is None or not entry.is_grant:
        raise ReservationClosed(child, entry.status if entry else "unknown")
    if entry.status == "returned":
        return entry
    tables.set_account(account._replace(is_closed=True))
    family = [each for each in tables.accounts() if account.id in each.path]
    tables.lock({each.id for each in family})
    for each in family:
        close_abandoned(tables, tables.open_entries(each.name))
    # From the lowest upwards, so that what is freed in an account is freed before its own is.
    for each in sorted(family, key=lambda each: -len(each.ancestors)):
        if each.is_granted:
            _free_hold(tables, each)
    return posting.find_grant(tables, account)


def _free_hold(tables: Tables, account: Account) -> None:
    held = posting.find_grant(tables, account)
    if held.status == "granted":
        posting.post_change(tables, held, held._replace(status="returned"))
