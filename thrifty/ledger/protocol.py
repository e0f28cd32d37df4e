"""What every ledger does: accounts with limits, and two-phase entries in them.

Money moves in two phases (reserve, then settle or release) under a key made before the call.
Latency is recorded with each entry but limited elsewhere: calls run side by side, so that
their times do not add up to the time of the run.

Reference: the two-phase transfers of TigerBeetle's data model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from thrifty.budget import Budget, Spend

EntryStatus = Literal["pending", "settled", "released", "in_doubt"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One call on the bill."""

    key: str
    """Made before the call from run, plan revision, step and attempt."""
    label: str
    """What the call was for, as the receipt names it."""
    status: EntryStatus
    """`in_doubt`: nobody knows what the call cost, so all of `reserved` is charged."""
    reserved: Spend
    """The worst case that was taken from the budget before the call."""
    charged: Spend = Spend()
    """What the call cost: nothing while pending or when released."""
    answer: str = ""
    """The journaled answer, so that a resume replays it instead of paying again."""

    @property
    def is_overrun(self) -> bool:
        """Whether more was charged than had been reserved."""
        worst_case = Budget.of_limits(self.reserved.amounts).without_latency()
        return not self.charged.within(worst_case)


@dataclass(frozen=True, slots=True)
class Balance:
    """Where an account stands."""

    budget: Budget
    spent: Spend
    reserved: Spend

    @property
    def left(self) -> Budget:
        """What may still be reserved; latency is not the ledger's to limit."""
        return self.budget.without_latency().left_after(self.spent + self.reserved)


class Ledger(Protocol):
    """Accounts that cannot be overdrawn. Every operation is atomic and safe from any thread."""

    def open(self, account: str, budget: Budget) -> Balance:
        """Opens an account, or finds it open; a changed budget becomes its limits."""
        ...

    def reserve(self, account: str, key: str, label: str, worst_case: Spend) -> Entry:
        """Takes a worst case from what is left; under a known key, finds its entry as it is.

        Raises:
            BudgetExceeded: it does not fit beside what is spent and reserved.
        """
        ...

    def settle(self, account: str, key: str, actual: Spend, answer: str = "") -> Entry:
        """Charges what the call cost and frees the rest; a second time changes nothing.

        Raises:
            ReservationClosed: there is no such reservation, or it was released.
        """
        ...

    def charge_in_full(self, account: str, key: str, latency_ms: int = 0) -> Entry:
        """Charges all that was reserved, since nobody knows what the call cost.

        Args:
            account: the account's name.
            key: the reservation's.
            latency_ms: how long the call took; the one thing that is known of it.

        Raises:
            ReservationClosed: there is no such reservation, or it was released.
        """
        ...

    def release(self, account: str, key: str) -> Entry:
        """Frees a reservation whose call was certainly not billed; a second time changes nothing.

        Raises:
            ReservationClosed: there is no such reservation, or it was settled.
        """
        ...

    def balance(self, account: str) -> Balance:
        """Where the account stands.

        Raises:
            KeyError: the account was never opened.
        """
        ...

    def entries(self, account: str) -> tuple[Entry, ...]:
        """Every entry of the account, in the order in which they were reserved."""
        ...
