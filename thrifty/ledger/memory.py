"""A ledger in this process's memory: as strict as any other, and gone when the process ends."""

from dataclasses import dataclass, field, replace
from threading import Lock

from thrifty.budget import Budget, BudgetExceeded, ReservationClosed, Spend, total
from thrifty.ledger.protocol import Balance, Entry, EntryStatus


@dataclass(slots=True)
class _Account:
    budget: Budget
    spent: Spend = Spend()
    reserved: Spend = Spend()
    entries: dict[str, Entry] = field(default_factory=dict)

    def balance(self) -> Balance:
        return Balance(self.budget, self.spent, self.reserved)


class MemoryLedger:
    """A `Ledger` for runs that live and end in one process."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._lock = Lock()

    def open(self, account: str, budget: Budget) -> Balance:
        with self._lock:
            held = self._accounts.setdefault(account, _Account(budget))
            held.budget = budget
            return held.balance()

    def reserve(self, account: str, key: str, label: str, worst_case: Spend) -> Entry:
        with self._lock:
            held = self._accounts[account]
            if key in held.entries:
                return held.entries[key]
            taken = held.spent + held.reserved + worst_case
            if missing := held.budget.without_latency().exceeded_by(taken):
                raise BudgetExceeded(missing, label)
            held.entries[key] = Entry(key, label, "pending", worst_case)
            held.reserved += worst_case
            return held.entries[key]

    def settle(self, account: str, key: str, actual: Spend, answer: str = "") -> Entry:
        return self._close(account, key, "settled", actual, answer)

    def charge_in_full(self, account: str, key: str, latency_ms: int = 0) -> Entry:
        with self._lock:
            entry = self._accounts[account].entries.get(key)
        worst_case = entry.reserved if entry else Spend()
        return self._close(account, key, "in_doubt", replace(worst_case, latency_ms=latency_ms), "")

    def release(self, account: str, key: str) -> Entry:
        return self._close(account, key, "released", Spend(), "")

    def balance(self, account: str) -> Balance:
        with self._lock:
            return self._accounts[account].balance()

    def entries(self, account: str) -> tuple[Entry, ...]:
        with self._lock:
            held = self._accounts[account]
            assert held.spent == total(entry.charged for entry in held.entries.values())
            return tuple(held.entries.values())

    def _close(
        self, account: str, key: str, status: EntryStatus, charged: Spend, answer: str
    ) -> Entry:
        with self._lock:
            held = self._accounts[account]
            entry = held.entries.get(key)
            if entry is not None and entry.status == status:
                return entry
            if entry is None or entry.status != "pending":
                raise ReservationClosed(key, entry.status if entry else "unknown")
            entry = replace(entry, status=status, charged=charged, answer=answer)
            held.entries[key] = entry
            held.reserved -= entry.reserved
            held.spent += entry.charged
            return entry
