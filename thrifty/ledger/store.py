"""What a storage has to do for the ledger: keep rows, and change all of them or none."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from thrifty.ledger.protocol import Entry, Lease
from thrifty.ledger.rules import AccountState

T = TypeVar("T")

Look = tuple[AccountState | None, Lease | None, Entry | None]
"""An account, the last lease of one of its runs, and one of its entries."""


class Books(Protocol):
    """The rows, within one transaction."""

    def look(self, account: str, run: str, key: str) -> Look:
        """What most acts on a call need to know, at once; locked like an `account`."""
        ...

    def account(self, name: str) -> AccountState | None:
        """An account, which nobody else can change until the transaction ends, if it writes."""
        ...

    def entry(self, account: str, key: str) -> Entry | None:
        """One entry; looked up after its account, whose lock covers it."""
        ...

    def entries(self, account: str) -> list[Entry]:
        """All entries, in the order in which they were added."""
        ...

    def open_entries(self, account: str) -> list[Entry]:
        """The entries for which something is still held, in the same order."""
        ...

    def overruns(self, account: str) -> list[Entry]:
        """The entries that are charged more than was reserved, in the same order."""
        ...

    def lease(self, account: str, run: str) -> Lease | None:
        """The last lease of a run; without an owner when it was given back."""
        ...

    def add_account(self, account: AccountState) -> None: ...

    def set_account(self, account: AccountState) -> None: ...

    def add_entry(self, account: str, entry: Entry) -> None:
        """Adds an entry; of two that add the same key at once, one fails or starts anew."""
        ...

    def set_entry(self, account: str, entry: Entry) -> None: ...

    def set_lease(self, lease: Lease) -> None: ...


class Store(Protocol):
    """Where the books are kept."""

    def write(self, work: Callable[[Books], T]) -> T:
        """Does some work in a transaction of its own, which is durable when this returns.

        An exception out of the work undoes it. The work may be done anew, on other rows, when
        another transaction came between, or when it was committed and nobody was told, as the
        connection was lost just then.

        Raises:
            LedgerUnavailable: the storage failed; nothing was changed.
        """
        ...

    def read(self, work: Callable[[Books], T], *, is_single: bool = False) -> T:
        """Looks at the books as they are at one moment.

        Args:
            work: what to look at.
            is_single: whether that is one look only, which needs no transaction around it.
        """
        ...
