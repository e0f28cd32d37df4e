"""A ledger in this process's memory: as strict as any other, and gone when the process ends."""

from collections.abc import Callable, Collection
from itertools import count
from threading import RLock
from typing import TypeVar

from thrifty.budget import LedgerUnavailable
from thrifty.budget.periods import MINUTE_BUCKET_MS, Period
from thrifty.ledger import process_fork
from thrifty.ledger.base_ledger import BaseLedger, wall_clock_ms
from thrifty.ledger.changed_rows import ChangedRows
from thrifty.ledger.records import Entry, Lease
from thrifty.ledger.storage import Account, CallNames, Counter, Tables

T = TypeVar("T")


class MemoryTables(ChangedRows):
    """Rows in dictionaries, and what they were before the transaction changed them."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self._accounts: dict[str, Account] = {}
        self._names: dict[int, str] = {}
        self._counters: dict[int, Counter] = {}
        self._windows: dict[tuple[int, Period, int], int] = {}
        """The number of each counter, by its account, its period, and when it starts."""
        self._latest_ms: dict[int, int] = {}
        """When the latest window of an account's minutes starts."""
        self._entries: dict[str, dict[str, Entry]] = {}
        self._places: list[tuple[str, str]] = []
        """The account and the key of each entry, in the order in which they were added. What was
        rolled back stays in it, and may be there twice."""
        self._maybe_open: dict[tuple[str, str], None] = {}
        """The account and the key of each entry that was open when somebody last looked, or since.
        Only who looks for open ones takes out those that were closed or rolled back."""
        self._leases: dict[tuple[str, str], Lease] = {}
        self._accounts_with_overruns: set[str] = set()
        """The accounts that ever had one: the others need not be searched."""
        self._numbers = count(1)

    def account(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def account_by_id(self, number: int) -> Account:
        return self._accounts[self._names[number]]

    def accounts(self) -> list[Account]:
        return list(self._accounts.values())

    def lock(self, accounts: Collection[int]) -> None:
        """Whoever is in the transaction is alone."""

    def lock_counters(self, counters: Collection[int]) -> None:
        """As `lock`."""

    def counter(self, number: int) -> Counter:
        return self._counters[number]

    def counter_at(self, account: int, period: Period, starts_ms: int) -> Counter | None:
        number = self._windows.get((account, period, starts_ms))
        return None if number is None else self._counters[number]

    def minute_counters(self, account: int, starts_from_ms: int) -> list[Counter]:
        starts = range(starts_from_ms, self._latest_ms.get(account, 0) + 1, MINUTE_BUCKET_MS)
        if len(starts) > len(self._windows):  # the clock was put back, by a year maybe
            minutes = [each for each in self._counters.values() if each.period == "minute"]
            return [m for m in minutes if m.account == account and m.starts_ms >= starts_from_ms]
        found = (self.counter_at(account, "minute", starts_ms) for starts_ms in starts)
        return [counter for counter in found if counter is not None]

    def entry(self, account: str, key: str) -> Entry | None:
        return self._entries[account].get(key)

    def entries(self, account: str) -> list[Entry]:
        return list(self._entries[account].values())

    def booked_entries(self, counter: int, since_ms: int = 0) -> list[Entry]:
        places = dict.fromkeys(self._places)
        entries = [self._entries.get(account, {}).get(key) for account, key in places]
        return [e for e in entries if e and e.at_ms >= since_ms and counter in e.counters]

    def open_entries(self, account: str | None = None) -> list[Entry]:
        entries = [self._entries.get(name, {}).get(key) for name, key in self._maybe_open]
        still_open = [entry for entry in entries if entry and entry.is_open]
        if not self._undo_log:  # else what was closed may be open again, once it is rolled back
            self._maybe_open = {(entry.account, entry.key): None for entry in still_open}
        return [entry for entry in still_open if account in (None, entry.account)]

    def overruns(self, account: str) -> list[Entry]:
        if account not in self._accounts_with_overruns:
            return []
        return [entry for entry in self._entries[account].values() if entry.is_overrun]

    def lease(self, account: str, run: str) -> Lease | None:
        return self._leases.get((account, run))

    def add_account(self, account: Account) -> Account:
        numbered = account._replace(id=next(self._numbers))
        self._put(self._entries, account.name, {})
        self._put(self._names, numbered.id, account.name)
        self.set_account(numbered)
        return numbered

    def set_account(self, account: Account) -> None:
        self._put(self._accounts, account.name, account)

    def add_counter(self, counter: Counter) -> Counter:
        numbered = counter._replace(id=next(self._numbers))
        account, period, starts_ms = counter.account, counter.period, counter.starts_ms
        self._put(self._windows, (account, period, starts_ms), numbered.id)
        if period == "minute":
            latest_ms = max(self._latest_ms.get(account, 0), starts_ms)
            self._put(self._latest_ms, account, latest_ms)
        self.set_counter(numbered)
        return numbered

    def set_counter(self, counter: Counter) -> None:
        self._put(self._counters, counter.id, counter)

    def add_entry(self, entry: Entry) -> None:
        self._places.append((entry.account, entry.key))
        self.set_entry(entry)

    def set_entry(self, entry: Entry) -> None:
        self._put(self._entries[entry.account], entry.key, entry)
        if entry.is_open:
            self._maybe_open[entry.account, entry.key] = None
        elif entry.is_overrun:
            self._accounts_with_overruns.add(entry.account)

    def set_lease(self, lease: Lease) -> None:
        self._put(self._leases, (lease.account, lease.run), lease)

    @property
    def is_empty(self) -> bool:
        """Whether no account was ever opened."""
        return not self._accounts


class MemoryStorage:
    """A `Storage` for one process, whose threads it lets in one after another.

    A signal handler that asks it may have interrupted a transaction in its own thread, which
    cannot go on before the handler returns. It is refused, where it would wait for ever.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._tables = MemoryTables(now_ms)
        self._lock = RLock()  # not `Lock`, which would let the handler wait for its own thread
        self.identity = object()
        self._is_running = False
        self._is_copy = False
        """Whether a parent process has the tables: a fork would spend every budget again."""
        process_fork.register_fork_aware(self)

    def write(self, work: Callable[[Tables], T], call: CallNames | None = None) -> T:
        with self._lock:
            if self._is_running or self._is_copy:
                raise self._unusable_error()
            # Every exception, a Ctrl-C included: half a transaction would break the sums.
            try:
                self._is_running = True
                result = work(self._tables)
                self._tables.commit()
            except BaseException:
                self._tables.roll_back()
                raise
            finally:
                self._is_running = False
        return result

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        with self._lock:
            if self._is_running or self._is_copy:
                raise self._unusable_error()
            try:
                return work(self._tables)
            finally:
                self._tables.commit()  # the next look is at another moment

    def before_fork(self) -> None:
        """Nothing to do: the child has no use for what is there."""

    def after_fork(self, in_child: bool) -> None:
        """A server that builds its agent first and forks then has no budget to spend yet."""
        if in_child:
            self._is_copy = self._is_copy or not self._tables.is_empty
            self._lock = RLock()  # another thread may have held it

    def _unusable_error(self) -> LedgerUnavailable:
        if self._is_copy:
            return LedgerUnavailable(
                "this ledger lives in the memory of another process; "
                "share a SqliteLedger or a PostgresLedger instead"
            )
        return LedgerUnavailable(
            "a ledger in memory was asked within one of its own transactions, as by a "
            "signal handler; ask after it has ended, or use a SqliteLedger"
        )


class MemoryLedger(BaseLedger):
    """A `Ledger` for runs that live and end in one process.

    Args:
        now_ms: the time, in milliseconds since 1970, by which windows begin and end.
    """

    def __init__(self, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        super().__init__(MemoryStorage(now_ms))
