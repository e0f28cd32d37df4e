"""Finding the entry of a piece of work, however often its run comes by here again.

A crash, a resume and a fork lead a run to the same work under the same key. When it is the very
same request, what became of it is in its entry: an answer to replay, or a call in doubt. When
it is another one (a fork with an edited prompt), it needs an entry of its own.
"""

from hashlib import sha256
from itertools import count

from thrifty.budget import KeyReused, Spend
from thrifty.ledger.protocol import Account, Entry, Ledger


def fingerprint(*parts: object) -> str:
    """A digest of a request: the same for the same parts, in any process."""
    return sha256("\x00".join(map(repr, parts)).encode("utf-8", "surrogatepass")).hexdigest()


def numbered(key: str, ordinal: int) -> str:
    """The key of one call of a piece of work."""
    return f"{key}.{ordinal}"


def entry_for(
    ledger: Ledger,
    account: Account,
    key: str,
    label: str,
    worst_case: Spend,
    request: str,
    after: Entry | None = None,
) -> Entry:
    """The entry for a request: the one it has already, or a new reservation, not yet sent.

    Args:
        ledger: where it is booked.
        account: whose budget it is.
        key: names the piece of work; calls for it are numbered.
        label: what it is for.
        worst_case: what to reserve, if nothing is yet.
        request: the request's fingerprint.
        after: the entry of an earlier call that came to nothing, to go on after.

    Raises:
        BudgetExceeded: there was no entry, and a new one does not fit.
    """
    start = 1 if after is None else int(after.key.rpartition(".")[2]) + 1
    for ordinal in count(start):
        try:
            return ledger.reserve(
                account,
                numbered(key, ordinal),
                label,
                worst_case,
                fingerprint=request,
                unsent=True,
            )
        except KeyReused:
            continue
    raise AssertionError("count never ends")
