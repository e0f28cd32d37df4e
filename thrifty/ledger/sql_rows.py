"""Rows of a database, as the records of the ledger and back."""

import json
from functools import lru_cache
from typing import Any

from thrifty.budget import Budget, InvalidInput, LedgerUnavailable, Spend
from thrifty.budget.limits import LimitAmounts
from thrifty.budget.periods import Period, limits_by_period, time_zone
from thrifty.ledger.records import Entry, Tags
from thrifty.ledger.sql_statements import (
    ACCOUNT_COLUMNS,
    CLOSE_ENTRY,
    HOLD_COUNTER,
    INSERT_ENTRY,
    MARK_ENTRY,
    SPEND_COUNTER,
    UPDATE_COUNTER,
    UPDATE_ENTRY,
)
from thrifty.ledger.storage import Account, Counter

SqlRow = tuple[Any, ...]


def account_row(account: Account) -> SqlRow:
    number, name, ancestors, limits, zone, is_granted, is_closed = account
    flags = int(is_granted), int(is_closed)
    return _join_numbers(ancestors), json.dumps(limits), zone, *flags, name, number


def read_account(row: SqlRow) -> Account:
    """An account from its row.

    Raises:
        LedgerUnavailable: no ledger has written this row.
    """
    ancestors, limits, zone, is_granted, is_closed, name, number = row[: len(ACCOUNT_COLUMNS)]
    try:
        above, by_period = _read_numbers(ancestors), _read_limits(limits)
        time_zone(zone)
        if is_granted and not above:
            raise ValueError("nothing is above it that holds its limits")
    except (InvalidInput, ValueError, TypeError) as error:
        raise LedgerUnavailable(
            f"the account {name!r} is damaged ({error}); restore the ledger from a backup"
        ) from error
    return Account(number, name, above, by_period, zone, bool(is_granted), bool(is_closed))


def counter_row(counter: Counter) -> SqlRow:
    number, account, period, starts_ms, ends_ms, limits, spent, reserved, over, notified = counter
    window = ends_ms, account, period, starts_ms
    return *limits, *spent, *reserved, *over, notified, *window, number


def counter_change(before: Counter, counter: Counter) -> tuple[str, SqlRow]:
    """The statement that writes what has changed of a counter."""
    number, _, _, _, ends_ms, limits, spent, reserved, over, notified = counter
    if (before.ends_ms, before.limits, before.notified) != (ends_ms, limits, notified):
        row = *limits, *spent, *reserved, *over, notified, ends_ms, number
        return UPDATE_COUNTER, row
    if before.spent != spent or before.over != over:
        return SPEND_COUNTER, (*spent, *reserved, *over, number)
    return HOLD_COUNTER, (*reserved, number)


def read_counter(row: SqlRow) -> Counter:
    notified, ends_ms, account, period, starts_ms, number = row[16:]
    amounts = row[:4], row[4:8], row[8:12], row[12:16]
    return Counter(number, account, period, starts_ms, ends_ms, *amounts, notified)


def entry_change(before: Entry | None, entry: Entry) -> tuple[str, SqlRow]:
    """The statement that writes an entry, over what the database has of it."""
    if before is None or _asked_of(before) != _asked_of(entry):
        return INSERT_ENTRY if before is None else UPDATE_ENTRY, _entry_row(entry)
    place = entry.account, entry.key
    if before.is_open and entry.is_open:
        return MARK_ENTRY, (entry.status, *place)
    closed = entry.status, *entry.charged.amounts, _stored_answer(entry)
    return CLOSE_ENTRY, (*closed, *place)


def _asked_of(entry: Entry) -> tuple[Any, ...]:
    """All of an entry but what changes when it is sent and closed."""
    return entry[:2] + entry[3:4] + entry[6:]


def _entry_row(entry: Entry) -> SqlRow:
    key, label, status, reserved, charged, _, fingerprint, run, account, owner, at_ms, *_ = entry
    tags = json.dumps(entry.tags) if entry.tags else ""
    closing = status, *charged.amounts, _stored_answer(entry)
    rest = fingerprint, run, label, owner, at_ms, tags, _join_numbers(entry.counters)
    return *closing, *reserved.amounts, *rest, account, key


def _stored_answer(entry: Entry) -> bytes | None:
    return None if entry.is_open else entry.answer.encode("utf-8", "surrogatepass")


def read_entry(row: SqlRow) -> Entry:
    """An entry from its row.

    Raises:
        LedgerUnavailable: no ledger has written this row.
    """
    fingerprint, run, label, owner, at_ms, tags, counters, account, key = row[10:]
    try:
        charged, reserved = _read_spend(*row[1:5]), _read_spend(*row[6:10])
        answer = bytes(row[5] or b"").decode("utf-8", "surrogatepass")
        pairs, numbers = _read_tags(tags), _read_numbers(counters)
    except (InvalidInput, ValueError, TypeError) as error:
        raise LedgerUnavailable(
            f"the entry {key!r} is damaged ({error}); restore the ledger from a backup"
        ) from error
    booked = account, owner, at_ms, pairs, numbers
    return Entry(key, label, row[0], reserved, charged, answer, fingerprint, run, *booked)


def _join_numbers(numbers: tuple[int, ...]) -> str:
    """Numbers with a comma before and after each, so that LIKE finds one of them."""
    return f",{','.join(map(str, numbers))}," if numbers else ""


# The same texts and amounts come back with most entries. To read each of them once makes an entry
# in a third of the time.
@lru_cache(maxsize=4096)
def _read_limits(text: str) -> tuple[tuple[Period, LimitAmounts], ...]:
    """Limits by period, of which those of the account's whole life are always there."""
    read = limits_by_period({p: Budget.of_limits(amounts) for p, amounts in json.loads(text)})
    return tuple([(period, budget.limits) for period, budget in read.items()])


@lru_cache(maxsize=4096)
def _read_numbers(text: str) -> tuple[int, ...]:
    return tuple([int(number) for number in text.split(",") if number])


@lru_cache(maxsize=4096)
def _read_tags(text: str) -> Tags:
    return tuple([(name, value) for name, value in json.loads(text)]) if text else ()


@lru_cache(maxsize=4096, typed=True)
def _read_spend(*amounts: int) -> Spend:
    return Spend(*amounts)
