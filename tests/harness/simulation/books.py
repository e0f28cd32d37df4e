"""The ledger as simulated processes reach it: the real one, behind a disk that fails.

Before a write the disk may fail, or its process may die; after it too, so that what was written is
never told. Every write that goes through is shown to the audit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from thrifty.budget import Budget, LedgerUnavailable, Spend
from thrifty.ledger.base_ledger import BaseLedger
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.protocol import AccountOrLease, Balance, Entry, Lease
from thrifty.ledger.rules import StoredAccount
from thrifty.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

T = TypeVar("T")
READS_FAIL_LESS = 0.1


class SimulatedBooks:
    """A `Ledger` whose every write is an event of the simulation."""

    def __init__(self, world: World, file: Path | None, failing: float) -> None:
        self._world, self._failing = world, failing
        now_ms = lambda: world.schedule.now_ns // 1_000_000  # noqa: E731
        self._book: BaseLedger = (
            SqliteLedger(file, synchronous="NORMAL", now_ms=now_ms)
            if file
            else MemoryLedger(now_ms)
        )
        self.names: list[str] = []
        """Every account there is, in the order in which they were opened."""

    # For the audit, which is no event.

    def rows(self, name: str) -> tuple[StoredAccount, list[Entry]]:
        """An account and its entries, as they are stored."""

        def look(books: Any) -> tuple[StoredAccount, list[Entry]]:
            return books.account(name), books.entries(name)

        return self._book._storage.read(look)

    def row(self, name: str, key: str) -> Entry | None:
        """One entry, as it is stored."""
        return self._book.entry(name, key)

    def close(self) -> None:
        if isinstance(self._book, SqliteLedger):
            self._book.disconnect()

    # For the agents.

    def open(self, account: AccountOrLease, budget: Budget) -> Balance:
        return self._write("open", account, lambda: self._book.open(account, budget), own=False)

    def extend(self, account: str, budget: Budget) -> Balance:
        return self._write("extend", account, lambda: self._book.extend(account, budget), own=False)

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
        named = {"fingerprint": fingerprint, "unsent": unsent}
        reserve: Any = self._book.reserve
        return self._write(
            "reserve", account, lambda: reserve(account, key, label, worst_case, **named), key
        )

    def mark_sent(self, account: AccountOrLease, key: str) -> Entry:
        entry = self._write("mark_sent", account, lambda: self._book.mark_sent(account, key), key)
        self._world.last_sent[self._world.schedule.actor] = _name(account), key
        return entry

    def settle(self, account: AccountOrLease, key: str, actual: Spend, answer: str = "") -> Entry:
        return self._write(
            "settle", account, lambda: self._book.settle(account, key, actual, answer), key
        )

    def charge_in_full(self, account: AccountOrLease, key: str, latency_ms: int = 0) -> Entry:
        return self._write(
            "charge_in_full",
            account,
            lambda: self._book.charge_in_full(account, key, latency_ms),
            key,
        )

    def release(self, account: AccountOrLease, key: str) -> Entry:
        return self._write("release", account, lambda: self._book.release(account, key), key)

    def reconcile(self, account: str, key: str, actual: Spend) -> Entry:
        """Lowers a call in doubt, of which the audit has to be told."""
        before = self._book.entry(account, key)
        assert before is not None

        def reconcile() -> Entry:
            after = self._book.reconcile(account, key, actual)
            lowered = before.charged.amounts, after.charged.amounts
            self._world.audit.reconciled(account, [b - a for b, a in zip(*lowered, strict=True)])
            return after

        return self._write("reconcile", account, reconcile, key, own=False)

    def grant(self, account: AccountOrLease, child: str, share: Budget, label: str = "") -> Balance:
        return self._write(
            "grant", account, lambda: self._book.grant(account, child, share, label), child
        )

    def reclaim(self, account: AccountOrLease, child: str) -> Entry:
        return self._write("reclaim", account, lambda: self._book.reclaim(account, child), child)

    def take(
        self, account: str, owner: str, over_fence: int | None = None, run: str | None = None
    ) -> Lease:
        def take() -> Lease:
            lease = self._book.take(account, owner, over_fence, run)
            self._world.audit.taken(lease, over_fence)
            return lease

        return self._write("take", account, take, owner, own=False)

    def give_back(self, lease: Lease) -> None:
        def give_back() -> None:
            self._book.give_back(lease)
            self._world.audit.left(lease)

        return self._write("give_back", lease, give_back)

    def owner_of(self, account: str, run: str | None = None) -> str:
        return self._read(lambda: self._book.owner_of(account, run))

    def balance(self, account: AccountOrLease) -> Balance:
        return self._read(lambda: self._book.balance(account))

    def entry(self, account: AccountOrLease, key: str) -> Entry | None:
        return self._read(lambda: self._book.entry(account, key))

    def overruns(self, account: AccountOrLease) -> tuple[Entry, ...]:
        return self._read(lambda: self._book.overruns(account))

    def entries(self, account: AccountOrLease) -> tuple[Entry, ...]:
        return self._read(lambda: self._book.entries(account))

    def _write(
        self,
        act: str,
        account: AccountOrLease,
        work: Callable[[], T],
        about: str = "",
        own: bool = True,
    ) -> T:
        world, name = self._world, _name(account)
        world.reach(f"{act} {name} {about}")
        if world.chance(self._failing):
            world.fail(f"the disk fails at {act} {name} {about}")
            raise LedgerUnavailable(f"simulated: the disk failed at {act}")
        may_write = world.audit.may_write(account) or not own
        try:
            result = work()
        except Exception as error:
            world.trace(f"{act} {name} {about}: {type(error).__name__}")
            raise
        if name not in self.names:
            self.names.append(name)
        if act == "grant" and about not in self.names:
            self.names.append(about)
        world.trace(f"{act} {name} {about}: {_shown(result)}")
        world.audit.wrote(act, account, may_write, result)
        world.reach("")
        return result

    def _read(self, work: Callable[[], T]) -> T:
        self._world.reach_quietly()
        if self._world.chance(self._failing * READS_FAIL_LESS):
            self._world.fail("the disk fails at a look")
            raise LedgerUnavailable("simulated: the disk could not be read")
        return work()


def _name(account: AccountOrLease) -> str:
    return account.account if isinstance(account, Lease) else account


def _shown(result: Any) -> str:
    if isinstance(result, Entry):
        held, charged = result.reserved, result.charged
        calls = f"{held.tool_calls}/{charged.tool_calls} calls"
        return f"{result.status}, holds {held.tokens}, charges {charged.tokens} tokens, {calls}"
    if isinstance(result, Balance):
        return f"{result.spent.tokens} + {result.reserved.tokens} of {result.budget.max_tokens}"
    if isinstance(result, Lease):
        return f"fence {result.fence}"
    return "done"
