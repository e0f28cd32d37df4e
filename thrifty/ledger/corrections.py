"""Corrections of settled calls, such as of one whose price was mistyped.

What a call was charged before is not forgotten: a note beside it says what was changed, and why.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from itertools import count
from typing import NamedTuple

from thrifty.budget import ReservationClosed, Spend
from thrifty.ledger import rules
from thrifty.ledger.calls import require_account
from thrifty.ledger.posting import post_change
from thrifty.ledger.records import NOTE_KEYS, Entry
from thrifty.ledger.storage import Tables

CORRECTION_KEYS = f"{NOTE_KEYS}corrections/"
"""What the keys of these notes begin with."""
DIGEST_DIGITS = 32
"""Of the key of what was corrected, which may be as long as a key can be."""


class Correction(NamedTuple):
    """One correction of what a call was charged."""

    key: str
    """Of the entry that was corrected."""
    before: Spend
    after: Spend
    why: str
    at_ms: int
    """When it was made, in milliseconds since 1970."""


def correct(tables: Tables, name: str, key: str, actual: Spend, why: str) -> Entry:
    """Charges a settled call another amount, in the counters in which it was booked."""
    require_account(tables, name)
    entry = tables.entry(name, key)
    if entry is None or entry.is_note or entry.status != "settled":
        raise ReservationClosed(key, entry.status if entry and not entry.is_note else "unknown")
    if entry.charged == actual:
        return entry
    tables.add_entry(_note(tables, entry, actual, why))
    return post_change(tables, entry, entry._replace(charged=actual))


def read_corrections(entries: Iterable[Entry]) -> tuple[Correction, ...]:
    """The corrections among the entries of an account."""
    return tuple(
        Correction(
            told["key"], Spend(*told["before"]), Spend(*told["after"]), told["why"], note.at_ms
        )
        for note in entries
        if note.key.startswith(CORRECTION_KEYS)
        for told in [json.loads(note.answer)]
    )


def _note(tables: Tables, entry: Entry, actual: Spend, why: str) -> Entry:
    digest = sha256(entry.key.encode()).hexdigest()[:DIGEST_DIGITS]
    keys = (f"{CORRECTION_KEYS}{digest}-{number}" for number in count(1))
    told = {
        "key": entry.key,
        "before": entry.charged.amounts,
        "after": actual.amounts,
        "why": why,
    }
    note = Entry(
        key=next(key for key in keys if tables.entry(entry.account, key) is None),
        label=entry.label,
        status="settled",
        reserved=rules.NO_SPEND,
        answer=json.dumps(told, ensure_ascii=False),
        run=entry.run,
        account=entry.account,
    )
    return rules.with_place(note, tables.now_ms(), entry.counters)
