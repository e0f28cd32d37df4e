"""What every ledger does: accounts with limits, and two-phase entries in them.

Money moves in two phases, reserve and then settle or release, under a key made before the call.
Each entry records its latency, but the ledger does not limit it: calls run side by side, so their
times do not add up to the time of the run.

Reference: the two-phase transfers of TigerBeetle's data model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from thrifty.budget import Budget, Spend

EntryStatus = Literal["unsent", "pending", "settled", "released", "in_doubt", "granted", "returned"]


class Entry(NamedTuple):
    """One line of the bill: a call, or what was granted to a sub-agent.

    A named tuple, since a ledger makes two for each call: a frozen dataclass takes thrice as long.
    """

    key: str
    """Made before the call from run, step, option and attempt. Of a grant it is the name of the
    sub-agent's account."""
    label: str
    """What the call was for, as the receipt names it."""
    status: EntryStatus
    """A call is `unsent` or `pending` (it may have been sent), then `settled`, `released`, or
    `in_doubt`: nobody knows what it cost, so all of `reserved` is charged. A grant is
    `granted`, then `returned`."""
    reserved: Spend
    """The worst case that was taken from the budget before the call."""
    charged: Spend = Spend()
    """What the call cost: nothing while open or when released. What a sub-agent has spent."""
    answer: str = ""
    """The journaled answer, so that a resume replays it instead of paying again."""
    fingerprint: str = ""
    """What was asked: the same key with another fingerprint is an error. Empty says nothing."""
    run: str = ""
    """The run whose call it is."""

    @property
    def is_open(self) -> bool:
        """Whether part of the budget is still held for it."""
        return self.status in ("unsent", "pending", "granted")

    @property
    def is_grant(self) -> bool:
        """Whether it stands for a sub-agent's account instead of a call."""
        return self.status in ("granted", "returned")

    @property
    def is_overrun(self) -> bool:
        """Whether more was charged than had been reserved."""
        charged, reserved = self.charged, self.reserved
        return (
            charged.tokens > reserved.tokens
            or charged.cost_nano_usd > reserved.cost_nano_usd
            or charged.tool_calls > reserved.tool_calls
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """Where an account stands, its sub-agents included."""

    budget: Budget
    spent: Spend
    reserved: Spend

    @property
    def left(self) -> Budget:
        """What may still be reserved. The ledger does not limit latency."""
        return self.budget.without_latency().left_after(self.spent + self.reserved)

    @property
    def unspent(self) -> Budget:
        """What could be reserved if everything that is reserved now were released."""
        return self.budget.without_latency().left_after(self.spent)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to spend as a run, until somebody takes it over.

    It is shown in place of the account's name: `ledger.reserve(lease, key, …)`.
    """

    account: str
    run: str
    """Where several runs share an account, each has a lease. Else it is the account's name."""
    owner: str
    """Who holds it, in words that tell a person which process that is."""
    fence: int
    """Grows with each take-over, so that a lease from before it is known to be stale."""
    since_ms: int
    """When it was taken, in milliseconds since 1970."""


AccountOrLease = str | Lease
"""An account by its name or, once somebody has taken it, by the lease that shows who asks."""


class Ledger(Protocol):
    """Accounts that cannot be overdrawn.

    Every operation is atomic and safe from any thread: all resources move, or none. An operation
    that is done twice under one key counts once. Anybody may spend from an account that nobody
    has taken. From then on a caller must show the lease in force.

    Every operation may raise:
        LeaseLost: the run is held by somebody else, or the lease that is shown is stale.
        LedgerUnavailable: the ledger cannot be read or written, and nothing was changed.
        InvalidInput: a name or a key is empty, too long, or holds what no database stores.
        KeyError: the account was never opened.
    """

    def open(self, account: AccountOrLease, budget: Budget) -> Balance:
        """Opens an account, or finds it open. A changed budget becomes its limits.

        To open it unchanged takes no lease: a resume opens its account before it takes the run.
        A sub-agent's account never gets more than its grant this way: `open` can lower its
        limits, and only `extend` can raise them.
        """

    def extend(self, account: str, budget: Budget) -> Balance:
        """Raises or lowers the limits, also while somebody else spends under them.

        A limit below what is spent and reserved stops new reservations and keeps what is
        paid. What a sub-agent's account gains comes from its parent, and what it loses goes back.

        Raises:
            BudgetExceeded: the parent has too little left for its sub-agent.
            ReservationClosed: it is a sub-agent's, and was reclaimed.
            InvalidInput: it would limit what one of its sub-agents has without limit.
        """

    def reserve(
        self,
        account: AccountOrLease,
        key: str,
        label: str,
        worst_case: Spend,
        *,
        fingerprint: str = "",
        unsent: bool = False,
    ) -> Entry:
        """Takes a worst case from what is left, before the call is sent.

        Under a known key it returns the entry as it is, and its status says what became of it.
        Only a released one is reserved anew.

        Args:
            account: whose budget it is.
            key: names this one attempt at this one call.
            label: what the call is for.
            worst_case: the most that it can use of each resource.
            fingerprint: a digest of the request. It may be left out and given later.
            unsent: promises that the call leaves only after `mark_sent`, so that a take-over
                before that frees the reservation. Without it, a call counts as sent from now.

        Raises:
            BudgetExceeded: it does not fit beside what is spent and reserved.
            KeyReused: the key stands for another request, another run's, or a sub-agent.
        """

    def mark_sent(self, account: AccountOrLease, key: str) -> Entry:
        """Says that an unsent call is about to leave: from now on it may be billed.

        It succeeds once, so that of two callers with one key only one sends. It may succeed not
        at all, where the database lost its connection just after the commit.

        Raises:
            ReservationClosed: it was marked before, or is not open.
        """

    def settle(self, account: AccountOrLease, key: str, actual: Spend, answer: str = "") -> Entry:
        """Charges what the call cost, frees what is left and journals the answer, all at once.

        More than was reserved is recorded as it is (`Entry.is_overrun`). A second time
        changes nothing.

        Raises:
            ReservationClosed: there is no such reservation, or it was closed otherwise.
        """

    def charge_in_full(self, account: AccountOrLease, key: str, latency_ms: int = 0) -> Entry:
        """Charges all that was reserved, since nobody knows what the call cost.

        A second time changes nothing. `reconcile` can lower the charge.

        Args:
            account: whose budget it is.
            key: the reservation's.
            latency_ms: how long the call took, the one thing that is known of it.

        Raises:
            ReservationClosed: there is no such reservation, or it was closed otherwise.
        """

    def release(self, account: AccountOrLease, key: str) -> Entry:
        """Frees a reservation whose call was certainly not billed. A second time changes nothing.

        Raises:
            ReservationClosed: there is no such reservation, or it was closed otherwise.
        """

    def reconcile(self, account: str, key: str, actual: Spend) -> Entry:
        """Settles a call in doubt at what the provider's bill says. It takes no lease.

        A second time with the same amount changes nothing.

        Raises:
            ReservationClosed: the call is not in doubt.
        """

    def grant(self, account: AccountOrLease, child: str, share: Budget, label: str = "") -> Balance:
        """Opens an account for a sub-agent with a share that is reserved in its parent's.

        What the sub-agent spends counts at once as spent by its parent, an overrun included. An
        account that the parent has granted before is returned as it is.

        Args:
            account: the parent's.
            child: the name of the new account.
            share: its limits. It must limit all that the parent's budget limits, but time.
            label: what the sub-agent is for. By default, its name.

        Returns:
            Where the sub-agent's account stands.

        Raises:
            BudgetExceeded: the share does not fit beside what is spent and reserved.
            KeyReused: the name is that of another account, or of a call.
            InvalidInput: the share leaves open what the parent limits.
        """

    def reclaim(self, account: AccountOrLease, child: str) -> Entry:
        """Closes a sub-agent's account and returns what is unused to its parent's.

        Its own sub-agents are reclaimed first, its open calls are closed as in a take-over, and
        nothing fits in it any more. A second time changes nothing.

        Returns:
            The grant, charged with what the sub-agent has spent.

        Raises:
            ReservationClosed: the parent has granted no such account.
        """

    def take(
        self, account: str, owner: str, over_fence: int | None = None, run: str | None = None
    ) -> Lease:
        """Makes somebody the one owner of a run. Its owner gets the same lease again.

        When the owner changes, the calls that the last one left open are closed: what was never
        sent is released, and all else is charged in full as `in_doubt`. Grants stay.

        Args:
            account: the account that the run spends from.
            owner: who takes it.
            over_fence: the fence of somebody else's lease, whose run you take over because its
                owner is gone for good. No lease ends by itself.
            run: the run, where several share the account. By default, the account's name.

        Raises:
            LeaseLost: somebody else holds the run, under another fence than `over_fence`.
        """

    def give_back(self, lease: Lease) -> None:
        """Gives a lease back, so that the next owner need not know that this one is gone."""

    def owner_of(self, account: str, run: str | None = None) -> str:
        """Who holds a run, by the name that was given to `take`. Empty when nobody does."""

    def balance(self, account: AccountOrLease) -> Balance:
        """Where the account stands. It takes no lease to look."""

    def entry(self, account: AccountOrLease, key: str) -> Entry | None:
        """One entry, or None where there is none of that key. It takes no lease to look."""

    def overruns(self, account: AccountOrLease) -> tuple[Entry, ...]:
        """The entries that were charged more than they had reserved. It takes no lease to look."""

    def entries(self, account: AccountOrLease) -> tuple[Entry, ...]:
        """Every entry, in the order in which they were reserved. It takes no lease to look.

        Raises:
            LedgerUnavailable: the entries do not add up to the account's counters.
        """
