"""What a storage does for the ledger: it keeps rows, and changes all of them or none."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from thrifty.ledger.protocol import Entry, Lease
from thrifty.ledger.rules import StoredAccount

T = TypeVar("T")


class Tables(Protocol):
    """The rows, within one transaction."""

    def account(self, name: str) -> StoredAccount | None:
        """An account, which nobody else can change until the transaction ends, if it writes."""

    def entry(self, account: str, key: str) -> Entry | None:
        """One entry. Its account is read before it, and that lock covers it."""

    def entries(self, account: str) -> list[Entry]:
        """All entries, in the order in which they were added."""

    def open_entries(self, account: str) -> list[Entry]:
        """The entries that still hold part of the budget, in the same order."""

    def overruns(self, account: str) -> list[Entry]:
        """The entries that are charged more than was reserved, in the same order."""

    def lease(self, account: str, run: str) -> Lease | None:
        """The last lease of a run, without an owner when it was given back."""

    def add_account(self, account: StoredAccount) -> None: ...

    def set_account(self, account: StoredAccount) -> None: ...

    def add_entry(self, account: str, entry: Entry) -> None:
        """Adds an entry. Of two that add the same key at once, one fails or starts anew."""

    def set_entry(self, account: str, entry: Entry) -> None: ...

    def set_lease(self, lease: Lease) -> None: ...


class Storage(Protocol):
    """Where the ledger's tables are kept."""

    def write(self, work: Callable[[Tables], T]) -> T:
        """Does some work in a transaction of its own, which is durable when this returns.

        An exception out of the work undoes it. The work may be done anew, on other rows, when
        another transaction came between, or when the connection was lost just after the commit.

        Raises:
            LedgerUnavailable: the storage failed, and nothing was changed.
        """

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        """Reads the tables as they are at one moment.

        Args:
            work: what to look at.
            is_single: whether that is one look only, which needs no transaction around it.
        """
