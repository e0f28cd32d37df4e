"""Idempotent calls: the entry of a piece of work, however often its run comes back to it.

A crash, a resume and a fork lead a run to the same work under the same key. If it asks the very
same, the entry says what became of it: an answer to replay, or a call in doubt. If it asks another
thing (a fork with an edited prompt), it needs an entry of its own.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from itertools import count

from thrifty.budget import KeyReused, LedgerUnavailable, ReservationClosed, Spend, total_spend
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease, Entry

logger = logging.getLogger(__name__)


def fingerprint(*parts: object) -> str:
    """A digest of a request: the same for the same parts, in any process."""
    return sha256("\x00".join(map(repr, parts)).encode()).hexdigest()


def call_key(key: str, ordinal: int) -> str:
    """The key of one call of a piece of work."""
    return f"{key}.{ordinal}"


def call_entries(ledger: Ledger, account: AccountOrLease, key: str) -> Iterator[Entry]:
    """The entries of the calls of a piece of work, in their order."""
    for ordinal in count(1):
        entry = ledger.entry(account, call_key(key, ordinal))
        if entry is None:
            return
        yield entry


def find_later_answer(
    ledger: Ledger, account: AccountOrLease, key: str, entry: Entry
) -> Entry | None:
    """The entry of a request that was answered, and then answered once more.

    Returns:
        The last one. None where it was answered once.
    """
    answered = [
        each
        for each in call_entries(ledger, account, key)
        if each.status == "settled" and each.answer and each.fingerprint == entry.fingerprint
    ]
    return answered[-1] if answered and answered[-1].key != entry.key else None


def earlier_limit(ledger: Ledger, account: AccountOrLease, key: str) -> Spend | None:
    """What was reserved for a piece of work when it was first done; None where it never was."""
    entry = ledger.entry(account, call_key(key, 1))
    return None if entry is None or entry.status == "released" else entry.reserved


def find_or_reserve(
    ledger: Ledger,
    account: AccountOrLease,
    key: str,
    label: str,
    worst_case: Spend,
    request_fingerprint: str,
    after: Entry | None = None,
    tags: Mapping[str, str] | None = None,
) -> Entry:
    """The entry for a request: the one it has already, or a new reservation, not yet sent.

    Args:
        ledger: where the call is entered.
        account: whose budget it is.
        key: names the piece of work; calls for it are numbered.
        label: what it is for.
        worst_case: what to reserve, if nothing is yet.
        request_fingerprint: the request's fingerprint.
        after: the entry of an earlier call that came to nothing, to go on after.
        tags: what it is counted under.

    Raises:
        BudgetExceeded: there was no entry, and a new one does not fit.
    """
    ordinal = 1 if after is None else int(after.key.rpartition(".")[2]) + 1
    while True:
        try:
            return ledger.reserve(
                account,
                call_key(key, ordinal),
                label,
                worst_case,
                fingerprint=request_fingerprint,
                unsent=True,
                tags=tags,
            )
        except KeyReused:  # another request has this number; ours takes the next that is free
            ordinal += 1


def try_mark_sent(ledger: Ledger, account: AccountOrLease, entry: Entry) -> bool:
    """Marks a call as sent. False where this caller may not send it.

    Somebody else may have sent it under the same key. Or this caller did, and the database lost
    its connection just after it had committed. Nobody can tell the two apart, so the call counts
    as sent. Or another caller gave this reservation back and made one of its own, in which this
    call may not fit.
    """
    try:
        marked = ledger.mark_sent(account, entry.key)
    except ReservationClosed:
        return False
    if marked.reserved != entry.reserved:
        release_call(ledger, account, entry)
        return False
    return True


def settle_call(
    ledger: Ledger, account: AccountOrLease, entry: Entry, actual: Spend, answer: str
) -> Entry:
    """Settles a call that was answered; where the ledger cannot be written, its answer is kept.

    Then the reservation stands until the ledger can be written, and is settled before anything
    else. That is said in the log, as an error.
    """
    try:
        return ledger.settle(account, entry.key, actual, answer)
    except LedgerUnavailable as error:
        return _keep_pending(entry, error)


def release_call(ledger: Ledger, account: AccountOrLease, entry: Entry) -> Entry:
    """Gives back what was reserved for a call that nobody has billed."""
    try:
        return ledger.release(account, entry.key)
    except LedgerUnavailable as error:
        return _keep_pending(entry, error)
    except ReservationClosed:
        return _entry_charged_by_other(ledger, account, entry)


def give_up_call(ledger: Ledger, account: AccountOrLease, entry: Entry) -> None:
    """Closes a call that could not be marked as sent, as far as anybody knows of it.

    Somebody else may have marked it, or this caller did and was not told. Nobody can tell the two
    apart, so then it is charged in full. Where the ledger cannot be read either, a sweep does that.
    """
    try:
        current = ledger.entry(account, entry.key)
    except LedgerUnavailable:
        return
    if current is not None and current.status == "unsent":
        release_call(ledger, account, entry)
    elif current is not None and current.status == "pending":
        charge_call_in_full(ledger, account, entry, 0)


def charge_call_in_full(
    ledger: Ledger, account: AccountOrLease, entry: Entry, latency_ms: int
) -> Entry:
    """Charges a call in full of which nobody knows the cost; it may well have an answer.

    Where the ledger cannot be written, it is charged later, as in `settle_call`.
    """
    try:
        return ledger.charge_in_full(account, entry.key, latency_ms)
    except LedgerUnavailable as error:
        return _keep_pending(entry, error)
    except ReservationClosed:  # by another, who knew what became of it
        return ledger.entry(account, entry.key) or entry


def _entry_charged_by_other(ledger: Ledger, account: AccountOrLease, entry: Entry) -> Entry:
    """The entry of a call that another process charged in full, as it took this one for dead.

    `reconcile` can lower the charge.
    """
    current = ledger.entry(account, entry.key)
    if current is None or current.status != "in_doubt":
        raise ReservationClosed(entry.key, current.status if current else "unknown")
    logger.warning("%r was given up while it was under way, and is charged in full", entry.label)
    return current


def _keep_pending(entry: Entry, error: LedgerUnavailable) -> Entry:
    logger.error("%r stays reserved until the ledger can be written: %s", entry.label, error)
    return entry._replace(status="pending")


def charge_open_calls(ledger: Ledger, account: AccountOrLease) -> Spend:
    """Charges in full the calls of a run that has ended: nobody will settle them any more.

    Returns:
        What could not be charged, as the ledger cannot be written; it stays reserved.
    """
    pending = [entry for entry in ledger.entries(account) if entry.status == "pending"]
    try:
        for entry in pending:
            with suppress(ReservationClosed):  # what could not be written before was written now
                ledger.charge_in_full(account, entry.key)
    except LedgerUnavailable as error:
        logger.error("what a run left open stays reserved in full: %s", error)
        return total_spend(e.reserved for e in ledger.entries(account) if e.status == "pending")
    return Spend()
