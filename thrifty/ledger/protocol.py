"""What every ledger does: a tree of accounts with limits, and two-phase entries in them.

An account's limits are ceilings for it and for all accounts below it. To open an account sets
nothing aside. Money moves in two phases, reserve and then settle or release, under a key made
before the call. A reservation must fit in the account and in every account above it, in the
current window of each of their periods. It is settled in exactly those windows.

Each entry records its latency, but the ledger does not limit it: calls run side by side, so their
times do not add up to the time of the run.

Reference: the two-phase transfers of TigerBeetle's data model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from thrifty.budget import Budget, Spend
from thrifty.budget.periods import Limits
from thrifty.ledger.corrections import Correction
from thrifty.ledger.records import AccountInfo, AccountOrLease, Balance, Entry, Lease


class Ledger(Protocol):
    """Accounts that cannot be overdrawn.

    Every operation is atomic and safe from any thread: all resources move, or none. An operation
    that is done twice under one key counts once. Anybody may spend from an account that nobody
    has taken. From then on a caller must show the lease in force.

    Every operation may raise:
        LeaseLost: the run is held by somebody else, or the lease that is shown is stale.
        LedgerUnavailable: the ledger cannot be read or written, and nothing was changed. A call
            that could not be settled, charged or released is kept, and closed before the next act.
        InvalidInput: a name or a key is empty, too long, or holds what no database stores.
        KeyError: the account was never opened.
    """

    def open(
        self,
        account: AccountOrLease,
        limits: Limits,
        *,
        parent: str | None = None,
        zone: str | None = None,
    ) -> Balance:
        """Opens an account, or finds it open. Changed limits become its limits. A sub-agent's
        account (`grant`) opens no wider than it was granted.

        Nothing is set aside for it, so nothing has to be given back. To open it unchanged takes
        no lease: a resume opens its account before it takes the run.

        Args:
            account: its name, or the lease of its run.
            limits: one budget for the account's whole life, or one for each period: `run`,
                `minute`, `hour`, `day`, `month`. Words will do: `"$5 a day, 100k tokens a minute"`.
            parent: the account above it, which must be open. None opens a root, and leaves an
                account that is open already where it is.
            zone: the IANA time zone in which its days and months begin. By default that of the
                account above it, or UTC.

        Raises:
            AccountClosed: it was closed, or what is to be above it.
            InvalidInput: the limits or the zone cannot be used, the account stands under another
                parent, or it would stand more than eight levels deep.
            BudgetExceeded: it limits what a sub-agent's share does not, which would be held from
                now on, and its parent has too little left for that.
        """

    def set_limits(self, account: str, limits: Limits, *, zone: str | None = None) -> Balance:
        """Gives an account other limits, at once, also while somebody else spends under them.

        A limit below what is used stops new reservations and keeps what is paid. A period that
        the account did not have counts what was booked in its current window before. What is
        held for a sub-agent's account grows and shrinks with its limits.

        Raises:
            AccountClosed: it was closed.
            BudgetExceeded: its parent has too little left to hold more for a sub-agent.
            InvalidInput: the limits or the zone cannot be used.
        """

    def move(self, account: str, parent: str | None) -> None:
        """Puts an account, with all below it, under another parent; None makes it a root.

        What was booked before stays where it was booked. Only what is reserved from now on
        counts in the new parent.

        Raises:
            InvalidInput: the parent stands below the account, it would stand more than eight
                levels deep, or something is held for it where it is.
        """

    def close(self, account: str) -> Balance:
        """Closes an account: nothing is reserved in it or below it any more.

        Nothing is deleted, and calls that are under way are settled as ever. A second time
        changes nothing.
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
        tags: Mapping[str, str] | None = None,
    ) -> Entry:
        """Takes a worst case from what is left, before the call is sent.

        Under a known key it returns the entry as it is, and its status says what became of it.
        Only a released one is reserved anew. Where it does not fit, what processes that are gone
        have left open is closed first (`sweep`), and it is tried once more.

        Args:
            account: whose budget it is.
            key: names this one attempt at this one call.
            label: what the call is for.
            worst_case: the most that it can use of each resource.
            fingerprint: a digest of the request. It may be left out and given later.
            unsent: promises that the call leaves only after `mark_sent`, so that a take-over
                before that frees the reservation. Without it, a call counts as sent from now.
            tags: what it is counted under, such as `{"model": "gpt-5"}`. Who gives the fingerprint
                later gives them then.

        Raises:
            BudgetExceeded: it does not fit beside what is spent and reserved, in this account or
                one above it. The error names the account, the period, and when that resets.
            KeyReused: the key stands for another request, another run's, or a sub-agent.
            AccountClosed: the account, or one above it, was closed.
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
        changes nothing. A late answer also settles a call that is in doubt, and takes no lease:
        whoever has the bill knows best.

        Raises:
            ReservationClosed: there is no such reservation, or it was released.
        """

    def charge_in_full(self, account: AccountOrLease, key: str, latency_ms: int = 0) -> Entry:
        """Charges all that was reserved, since nobody knows what the call cost.

        A second time changes nothing. `settle` and `reconcile` can lower the charge.

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

    def correct(self, account: str, key: str, actual: Spend, why: str) -> Entry:
        """Charges a settled call what it has really cost, as where its price was mistyped.

        It is for a person, takes no lease, and works in a closed account. The answer stays, and so
        do the windows in which the call was booked. What it was charged before stays in the books:
        see `corrections`. A second time with the same amount changes nothing.

        Args:
            account: whose budget it is.
            key: the call's.
            actual: what it has cost, whole.
            why: for whoever reads the books.

        Raises:
            ReservationClosed: the call is not settled. One in doubt is reconciled.
            InvalidInput: the reason is empty, or longer than 400 characters.
        """

    def corrections(self, account: str) -> tuple[Correction, ...]:
        """Every correction in an account, in the order in which they were made."""

    def sweep(self, account: str | None = None, *, owner: str | None = None) -> tuple[Entry, ...]:
        """Closes calls that nobody will close any more, in an account and all below it.

        What was never sent is released, and what may have been sent is charged in full. That
        frees nothing that could still be billed, and a late answer still settles it. A call
        counts as left when its process is certainly gone, or when it is older than any call.

        Args:
            account: where to look. None looks everywhere.
            owner: closes what this process has open, which is about to end itself.

        Returns:
            The entries that were closed, as they are now.
        """

    def grant(self, account: AccountOrLease, child: str, share: Budget, label: str = "") -> Balance:
        """Opens an account for a sub-agent below this one, and holds its whole limits for it.

        A guarantee, where `open(child, limits, parent=account)` only sets a ceiling: what is held
        is there for the sub-agent whatever others spend. Each of its calls takes from what is
        held. Windows of days or minutes above it still limit it. An account that this one has
        granted before is returned as it is.

        Args:
            account: the parent's.
            child: the name of the new account.
            share: its limits, which are held. What it does not limit is not held.
            label: what the sub-agent is for. By default, its name.

        Raises:
            BudgetExceeded: the share does not fit beside what is spent and reserved.
            KeyReused: the name is that of another account, or of a call.
        """

    def reclaim(self, account: AccountOrLease, child: str) -> Entry:
        """Closes a sub-agent's account and frees what is still held for it.

        Its own sub-agents' are reclaimed with it, and its open calls are closed as in a
        take-over. A second time changes nothing.

        Returns:
            The grant, as it is now.

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
        """Gives a lease back, so that the next owner need not know that this one is gone.

        The calls that the run has open are closed as in a take-over.
        """

    def owner_of(self, account: str, run: str | None = None) -> str:
        """Who holds a run, by the name that was given to `take`. Empty when nobody does."""

    def balance(self, account: AccountOrLease) -> Balance:
        """Where the account stands. It takes no lease to look."""

    def accounts(self) -> tuple[AccountInfo, ...]:
        """Every account, in the order in which they were opened."""

    def entry(self, account: AccountOrLease, key: str) -> Entry | None:
        """One entry, or None where there is none of that key. It takes no lease to look."""

    def overruns(self, account: AccountOrLease) -> tuple[Entry, ...]:
        """The entries that were charged more than they had reserved. It takes no lease to look."""

    def entries(self, account: AccountOrLease, *, below: bool = False) -> tuple[Entry, ...]:
        """Every entry, in the order in which they were reserved. It takes no lease to look.

        Args:
            account: whose entries.
            below: with all that was booked in this account from accounts below it.

        Raises:
            LedgerUnavailable: the entries do not add up to the account's counters.
        """
