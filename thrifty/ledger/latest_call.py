"""The latest of the calls that do one piece of work: the one to be made, or what became of it.

They are numbered. A further one is made only after one that stopped to ask a person, or after one
of which a person has said that it may be made again. Both are noted in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from thrifty.budget import Spend
from thrifty.ledger.idempotent_calls import call_entries, find_or_reserve, release_call, settle_call
from thrifty.ledger.notes import Notes
from thrifty.ledger.records import Entry


@dataclass(frozen=True, slots=True)
class LatestCall:
    """The latest call, and what came before it."""

    entry: Entry
    attempt: int = 1
    """How often a person has let it be called, the first time included."""
    allowed_by: tuple[str, ...] = ()
    """What was noted of each such answer."""
    paid: tuple[Entry, ...] = ()
    """The metered calls that were answered before it stopped to ask a person."""
    charged_before: Spend = Spend()
    """What all calls before it came to."""

    def reread(self, notes: Notes) -> LatestCall:
        """The same call as it stands in the ledger now."""
        entry = notes.ledger.entry(notes.account, self.entry.key)
        return replace(self, entry=entry or self.entry)


def find_latest_call(key: str, worst_case: Spend, request: str, notes: Notes) -> LatestCall:
    """Finds the latest call of a piece of work, or reserves it.

    Args:
        key: names its calls.
        worst_case: the most that the work may use.
        request: the fingerprint of what is asked. Empty where it is done once, whatever is asked.
        notes: of the work.

    Raises:
        BudgetExceeded: there was none, and a new one does not fit.
    """
    call, left = LatestCall(_reserve(key, worst_case, request, notes)), worst_case
    while True:
        entry = call.entry
        paid = None if entry.is_open else notes.read(_stopped_key(entry))
        if paid is not None:
            charged, left = call.charged_before + entry.charged, _less(left, entry.charged)
            call = replace(call, paid=_read_paid(paid), charged_before=charged)
        elif (answer := notes.read(_again_key(entry))) is not None:
            allowed_by = (*call.allowed_by, answer)
            charged = call.charged_before + entry.charged
            call = LatestCall(entry, call.attempt + 1, allowed_by, charged_before=charged)
            left = worst_case
        else:
            return call
        call = replace(call, entry=_reserve(key, left, request, notes, entry))


def _reserve(
    key: str, worst_case: Spend, request: str, notes: Notes, after: Entry | None = None
) -> Entry:
    where = notes.ledger, notes.account, key, notes.label
    return find_or_reserve(*where, worst_case, request, after)


def list_calls(key: str, notes: Notes) -> list[Entry]:
    """The calls of a piece of work that were made, whatever they asked for."""
    entries = call_entries(notes.ledger, notes.account, key)
    return [entry for entry in entries if entry.status not in ("unsent", "released")]


def note_stop(entry: Entry, used: Spend, paid: Sequence[Entry], notes: Notes) -> None:
    """Ends a call that asks a person: it is charged what it has used, and is made again later."""
    if not paid and used.tokens == used.cost_nano_usd == used.tool_calls == 0:
        release_call(notes.ledger, notes.account, entry)
        return
    # First, as nothing may be charged of which the next call does not know that it is paid.
    kept = [[call.label, call.fingerprint, call.answer] for call in paid]
    notes.write(_stopped_key(entry), json.dumps(kept))
    settle_call(notes.ledger, notes.account, entry, used, "")


def note_failure(entry: Entry, reason: str, notes: Notes) -> None:
    """Notes why a call failed that is done once."""
    notes.write(f"failed/{entry.key}", reason)


def note_happened(entry: Entry, text: str, notes: Notes) -> None:
    """Notes that a person knows a call to have happened, and what came of it."""
    notes.write(f"happened/{entry.key}", text)


def failure_of(entry: Entry, notes: Notes) -> str:
    """Why a call failed. Empty where nobody has noted it."""
    return notes.read(f"failed/{entry.key}") or ""


def known_result(entry: Entry, notes: Notes) -> str:
    """What came of a call, as a person has said. Empty where nobody has."""
    return notes.read(f"happened/{entry.key}") or ""


def is_unknown(entry: Entry, notes: Notes) -> bool:
    """Whether nobody knows if a call that was made has happened, and nobody has said so since."""
    has_ended = entry.status not in ("pending", "in_doubt")
    return not (
        has_ended or known_result(entry, notes) or notes.read(_again_key(entry)) is not None
    )


def allow_again(entry: Entry, answer: str, notes: Notes) -> None:
    """Notes that a person lets a call be made again, and which answer said so."""
    notes.write(_again_key(entry), answer)


def _stopped_key(entry: Entry) -> str:
    return f"stopped/{entry.key}"


def _again_key(entry: Entry) -> str:
    return f"again/{entry.key}"


def _read_paid(text: str) -> tuple[Entry, ...]:
    return tuple(
        Entry("", label, "settled", Spend(), Spend(), answer, digest)
        for label, digest, answer in json.loads(text)
    )


def _less(worst_case: Spend, charged: Spend) -> Spend:
    pairs = zip(worst_case.amounts, charged.amounts, strict=True)
    return Spend(*(max(0, most - used) for most, used in pairs))
