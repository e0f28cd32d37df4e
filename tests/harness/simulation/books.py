"""The ledger as simulated processes reach it: the real one, behind a disk that fails.

All processes have the same books. Each has a ledger of its own over them, with an outbox that
dies with it. Before a write the disk may fail, or the process may die; after it too, so that what
was written is never told. Every write that goes through is shown to the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.harness.simulation.actors import Process
from thrifty.budget import LedgerUnavailable
from thrifty.ledger.base_ledger import BaseLedger
from thrifty.ledger.memory import MemoryStorage
from thrifty.ledger.records import AccountOrLease, Balance, Entry, Lease
from thrifty.ledger.sqlite import SqliteStorage
from thrifty.ledger.storage import Account, CallNames, Counter, Tables

if TYPE_CHECKING:
    from tests.harness.simulation.world import World

T = TypeVar("T")
READS_FAIL_LESS = 0.1
BUSY_MS = 30_000


@dataclass(frozen=True)
class AccountRows:
    """What is stored of an account."""

    account: Account
    counters: list[Counter]
    """All that it ever had, its whole life's first."""
    own: list[Entry]
    """What it was asked for."""
    booked: list[Entry]
    """What is booked in it, with the entries of accounts that are or were below it."""

    @property
    def run(self) -> Counter:
        """The counter of its whole life."""
        return self.counters[0]


class Books:
    """What is stored, and each process's ledger over it.

    Args:
        world: where.
        file: where the ledger's file is; None keeps it in memory.
        failing: how likely it is that a write fails.
    """

    def __init__(self, world: World, file: Path | None, failing: float) -> None:
        self._world, self._failing = world, failing
        now_ms = lambda: world.wall_ms  # noqa: E731
        self.storage: Any = (
            SqliteStorage(file, "NORMAL", BUSY_MS, now_ms) if file else MemoryStorage(now_ms)
        )
        self._ledgers: dict[Process, SimulatedLedger] = {}

    def ledger(self) -> SimulatedLedger:
        """The ledger of the process that acts now."""
        process = self._world.schedule.actor.process
        if process not in self._ledgers:
            self._ledgers[process] = SimulatedLedger(
                self._world, SimulatedDisk(self._world, self.storage, self._failing)
            )
        return self._ledgers[process]

    def names(self) -> list[str]:
        """Every account there is, in the order in which they were opened."""
        return self.storage.read(lambda tables: [each.name for each in tables.accounts()])  # type: ignore[no-any-return]

    def rows(self, name: str) -> AccountRows:
        """An account and its entries, as they are stored."""

        def look(tables: Any) -> AccountRows:
            account = tables.account(name)
            run = tables.counter_at(account.id, "run", 0)
            booked = tables.booked_entries(run.id)
            numbers = {number for entry in booked for number in entry.counters} - {run.id}
            others = (tables.counter(number) for number in sorted(numbers))
            counters = [run, *(each for each in others if each.account == account.id)]
            return AccountRows(account, counters, tables.entries(name), booked)

        return self.storage.read(look)  # type: ignore[no-any-return]

    def periods(self, name: str) -> set[tuple[int, str]]:
        """Each period of the account, and of those above it, with the number of its account."""

        def look(tables: Any) -> set[tuple[int, str]]:
            path = [tables.account_by_id(number) for number in tables.account(name).path]
            return {(each.id, period) for each in path for period, _ in each.limits}

        return self.storage.read(look)  # type: ignore[no-any-return]

    def counters(self, numbers: tuple[int, ...]) -> list[Counter]:
        """Counters by their numbers."""
        return self.storage.read(lambda tables: [tables.counter(each) for each in numbers])  # type: ignore[no-any-return]

    def unlimited(self, name: str) -> set[int]:
        """What nothing limits in any period of the account or of those above it."""

        def look(tables: Any) -> set[int]:
            path = [tables.account_by_id(number) for number in tables.account(name).path]
            limits = [amounts for each in path for _, amounts in each.limits]
            return {i for i in range(4) if all(amounts[i] is None for amounts in limits)}

        return self.storage.read(look)  # type: ignore[no-any-return]

    def row(self, name: str, key: str) -> Entry | None:
        """One entry, as it is stored."""
        return self.storage.read(lambda tables: tables.account(name) and tables.entry(name, key))  # type: ignore[no-any-return]

    def lease(self, run: str) -> Lease | None:
        """Who holds a run; None where nobody does."""
        lease = self.storage.read(lambda tables: tables.account(run) and tables.lease(run, run))
        return lease if lease and lease.owner else None

    def close(self) -> None:
        if isinstance(self.storage, SqliteStorage):
            self.storage.disconnect()


class SimulatedDisk:
    """A `Storage` whose every write is an event of the simulation, and may fail.

    Args:
        world: where.
        storage: what keeps the rows.
        failing: how likely it is that a write fails.
    """

    def __init__(self, world: World, storage: Any, failing: float) -> None:
        self._world, self._storage, self._failing = world, storage, failing

    def write(self, work: Callable[[Tables], T], call: CallNames | None = None) -> T:
        world, about = self._world, f"{call.account} {call.key}" if call else "accounts"
        world.reach(f"write {about}")
        if world.chance(self._failing):
            world.fail(f"the disk fails at {about}")
            raise LedgerUnavailable("simulated: the disk failed")
        try:
            result: T = self._storage.write(work, call)
        except Exception as error:
            world.trace(f"{about}: {type(error).__name__}: {error}")
            raise
        world.trace(f"{about}: {_shown(result)}")
        world.audit.wrote(call.account if call else "")
        world.reach("")
        if world.chance(self._failing / 2):
            world.fail(f"the disk has written, and fails to say so, at {about}")
            raise LedgerUnavailable("simulated: the connection was lost after the commit")
        return result

    def read(self, work: Callable[[Tables], T], *, is_single: bool = False) -> T:
        self._world.reach_quietly()
        if self._world.chance(self._failing * READS_FAIL_LESS):
            self._world.fail("the disk fails at a look")
            raise LedgerUnavailable("simulated: the disk could not be read")
        return self._storage.read(work, is_single=is_single)  # type: ignore[no-any-return]


class SimulatedLedger(BaseLedger):
    """The ledger of one process. What it promises of leases is held against the audit."""

    def __init__(self, world: World, disk: SimulatedDisk) -> None:
        super().__init__(disk)
        self._world = world

    def reserve(self, account: AccountOrLease, key: str, *given: Any, **named: Any) -> Entry:
        with self._leased(account, "reserve"):
            return super().reserve(account, key, *given, **named)

    def mark_sent(self, account: AccountOrLease, key: str) -> Entry:
        with self._leased(account, "mark_sent"):
            entry = super().mark_sent(account, key)
        self._world.last_sent[self._world.schedule.actor] = _name(account), key
        return entry

    def charge_in_full(self, account: AccountOrLease, key: str, latency_ms: int = 0) -> Entry:
        with self._leased(account, "charge_in_full"):
            return super().charge_in_full(account, key, latency_ms)

    def release(self, account: AccountOrLease, key: str) -> Entry:
        with self._leased(account, "release"):
            return super().release(account, key)

    @contextmanager
    def _leased(self, account: AccountOrLease, act: str) -> Iterator[None]:
        may_write = self._world.audit.may_write(account)
        yield
        if not may_write:
            self._world.audit.breach(f"{act} by {account!r}, who does not hold the run")


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
        return f"{result.run}, fence {result.fence}"
    return "done"
