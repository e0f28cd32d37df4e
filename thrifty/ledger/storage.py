"""What a storage does for the ledger: it keeps rows, and changes all of them or none."""

from collections.abc import Callable, Collection, Hashable
from typing import NamedTuple, Protocol, TypeVar

from thrifty.budget.limits import LimitAmounts
from thrifty.budget.periods import Period
from thrifty.budget.spend import Amounts
from thrifty.ledger.records import Entry, Lease, maker_of

T = TypeVar("T")


class Account(NamedTuple):
    """An account as it is stored. What is used of its limits stands in its counters."""

    id: int
    name: str
    ancestors: tuple[int, ...]
    """The accounts above it, from the root to its parent."""
    limits: tuple[tuple[Period, LimitAmounts], ...]
    """Of each period that is limited, and always of `run`, which is the first."""
    zone: str
    is_granted: bool
    """Whether its parent has an entry, under this account's name, that holds its limits for it."""
    is_closed: bool

    @property
    def path(self) -> tuple[int, ...]:
        """The accounts in which its calls are booked, from the root to itself."""
        return *self.ancestors, self.id


class Counter(NamedTuple):
    """What is used of an account's limits within one window of a period."""

    id: int
    account: int
    period: Period
    starts_ms: int
    ends_ms: int
    limits: LimitAmounts
    spent: Amounts
    """Always the sum of what the entries that are booked in it charge."""
    reserved: Amounts
    """Always the sum of what those entries still hold."""
    over: Amounts
    """By how much spent and reserved pass the limits, after an overrun or a lowered limit.

    A reservation leaves it as it is, so that the database can refuse one that does not fit.
    """
    notified: int = 0
    """The highest threshold, in percent, that somebody was told of in this window."""


make_counter = maker_of(Counter)


class Tables(Protocol):
    """The rows, within one transaction."""

    def now_ms(self) -> int:
        """The time of this transaction, in milliseconds since 1970, by the storage's clock."""

    def account(self, name: str) -> Account | None:
        """An account. If the transaction writes, nobody else can change it, the accounts above
        it, or their counters and entries, until it ends."""

    def account_by_id(self, number: int) -> Account:
        """An account that there is, by its number."""

    def accounts(self) -> list[Account]:
        """Every account, in the order in which they were opened."""

    def lock(self, accounts: Collection[int]) -> None:
        """Keeps others from changing these accounts and their counters, as `account` does."""

    def lock_counters(self, counters: Collection[int]) -> None:
        """Keeps others from changing these counters, and the accounts that they belong to."""

    def counter(self, number: int) -> Counter:
        """A counter that there is, by its number."""

    def counter_at(self, account: int, period: Period, starts_ms: int) -> Counter | None:
        """The counter of a window, or None where nothing was booked in it yet."""

    def minute_counters(self, account: int, starts_from_ms: int) -> list[Counter]:
        """The counters of a minute's windows that start at a moment or after it."""

    def entry(self, account: str, key: str) -> Entry | None:
        """One entry. Its account is read before it, and that lock covers it."""

    def entries(self, account: str) -> list[Entry]:
        """All entries that an account was asked for, in the order in which they were added."""

    def booked_entries(self, counter: int, since_ms: int = 0) -> list[Entry]:
        """All entries that are booked in a counter and were reserved from a moment on."""

    def open_entries(self, account: str | None = None) -> list[Entry]:
        """The entries that still hold part of a limit: of one account, or of all."""

    def overruns(self, account: str) -> list[Entry]:
        """The entries that are charged more than was reserved, in the same order."""

    def lease(self, account: str, run: str) -> Lease | None:
        """The last lease of a run, without an owner when it was given back."""

    def add_account(self, account: Account) -> Account:
        """Adds an account, and gives it a number."""

    def set_account(self, account: Account) -> None: ...

    def add_counter(self, counter: Counter) -> Counter:
        """Adds a counter, and gives it a number."""

    def set_counter(self, counter: Counter) -> None: ...

    def add_entry(self, entry: Entry) -> None:
        """Adds an entry. Of two that add the same key at once, one fails or starts anew."""

    def set_entry(self, entry: Entry) -> None: ...

    def set_lease(self, lease: Lease) -> None: ...


class CallNames(NamedTuple):
    """What an act on one call reads: a storage can fetch it for many acts at once."""

    account: str
    run: str
    key: str


make_call_names = maker_of(CallNames)


class Storage(Protocol):
    """Where the ledger's tables are kept."""

    @property
    def identity(self) -> Hashable:
        """The same for every storage of the same tables."""
        ...

    def write(self, work: Callable[[Tables], T], call: CallNames | None = None) -> T:
        """Does some work in a transaction, which is durable when this returns.

        An exception out of the work undoes it. The work may be done anew, on other rows, when
        another transaction came between, or when the connection was lost just after the commit.

        Args:
            work: what to do.
            call: the one call that it is about. Such work may share a transaction with that of
                others. Without it, the work has a transaction of its own.

        Raises:
            LedgerUnavailable: the storage failed, and nothing was changed.
        """

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        """Reads the tables as they are at one moment.

        Args:
            work: what to look at.
            is_single: whether that is one look only, which needs no transaction around it.
        """
