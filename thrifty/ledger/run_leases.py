"""What the acts on leases do to the tables: who holds a run, and what is left open by the last."""

from dataclasses import replace

from thrifty.ledger.calls import (
    Caller,
    admit_caller,
    close_abandoned,
    lease_lost_error,
    require_account,
)
from thrifty.ledger.records import Lease
from thrifty.ledger.storage import Tables


def take(tables: Tables, name: str, run: str, owner: str, over_fence: int | None) -> Lease:
    require_account(tables, name)
    last = tables.lease(name, run)
    if last is not None and last.owner:
        if last.owner == owner:
            return last
        # Of two who take the same lease over, the second names a fence that is no longer in force.
        if last.fence != over_fence:
            raise lease_lost_error(last)
    _close_calls(tables, name, run)
    lease = Lease(name, run, owner, last.fence + 1 if last else 1, tables.now_ms())
    tables.set_lease(lease)
    return lease


def give_back(tables: Tables, lease: Lease) -> None:
    admit_caller(tables, Caller.of(lease))
    _close_calls(tables, lease.account, lease.run)
    tables.set_lease(replace(lease, owner="", since_ms=tables.now_ms()))


def _close_calls(tables: Tables, name: str, run: str) -> None:
    """Closes the open calls of a run, which nobody else will close."""
    close_abandoned(tables, [each for each in tables.open_entries(name) if each.run == run])
