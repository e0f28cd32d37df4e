"""Notes in a ledger: facts about calls that cost nothing, kept where no client can write.

The state of a run can be written by a client of a server. So what must not be forged, such as
which question a person was asked, stands beside the calls that it is about. A note is an entry
that reserves and costs nothing.
"""

from dataclasses import dataclass

from thrifty.budget import Spend
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import NOTE_KEYS, AccountOrLease


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes about one piece of work in an account.

    Every method may raise `LedgerUnavailable`, as the ledger's acts do.
    """

    ledger: Ledger
    account: AccountOrLease
    label: str
    """What the work is, as the bill names it."""

    def read(self, key: str) -> str | None:
        """The text of a note. None where there is no such note."""
        entry = self.ledger.entry(self.account, NOTE_KEYS + key)
        return entry.answer if entry is not None and entry.status == "settled" else None

    def write(self, key: str, text: str = "") -> None:
        """Writes a note. A second time under the same key changes nothing."""
        key = NOTE_KEYS + key
        self.ledger.reserve(self.account, key, self.label, Spend(), unsent=True)
        self.ledger.settle(self.account, key, Spend(), text)
