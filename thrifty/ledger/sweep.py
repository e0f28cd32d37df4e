"""Finds the calls that nobody will close any more, and closes them."""

from thrifty.ledger.calls import close_abandoned, require_account
from thrifty.ledger.owner import is_owner_gone
from thrifty.ledger.records import Entry
from thrifty.ledger.rules import UNDER_WAY
from thrifty.ledger.storage import Account, Tables

UNSENT_MS_MAX = 10 * 60_000
"""How long a call of a process that may still be there can wait to be sent. Its release is no
danger: the process is refused when it says that it sends the call."""
PENDING_MS_MAX = 24 * 3_600_000
"""How long a call can be under way. To charge it in full frees nothing, and a late answer still
settles it."""


def find_abandoned(tables: Tables, account: str | None, owner: str | None) -> list[Entry]:
    """The open calls, in an account and below it, that nobody will close any more.

    Args:
        tables: the rows.
        account: where to look; None looks everywhere.
        owner: a process that is about to end, whose calls count, and no others.
    """
    top = None if account is None else require_account(tables, account)
    entries = [entry for entry in tables.open_entries() if entry.status in UNDER_WAY]
    if owner is not None:
        abandoned = [entry for entry in entries if entry.owner == owner]
    else:
        gone = {each for each in {entry.owner for entry in entries} if is_owner_gone(each)}
        now_ms = tables.now_ms()
        abandoned = [e for e in entries if e.owner in gone or _is_too_old(e, now_ms)]
    return [entry for entry in abandoned if top is None or _is_in(tables, entry, top)]


def close_entries(tables: Tables, found: list[Entry]) -> tuple[Entry, ...]:
    """Closes those of the found calls that are as they were found."""
    tables.lock_counters({number for entry in found for number in entry.counters})
    same = [entry for entry in found if tables.entry(entry.account, entry.key) == entry]
    return tuple(close_abandoned(tables, same))


def _is_too_old(entry: Entry, now_ms: int) -> bool:
    limit_ms = UNSENT_MS_MAX if entry.status == "unsent" else PENDING_MS_MAX
    return now_ms - entry.at_ms > limit_ms


def _is_in(tables: Tables, entry: Entry, top: Account) -> bool:
    """Whether a call was booked in an account, or in one below it."""
    return any(tables.counter(number).account == top.id for number in entry.counters)
