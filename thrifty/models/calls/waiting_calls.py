"""Which accounts calls of this process wait for.

No ledger knows who waits. A caller that asks again at once would else take what came back before
any of those that wait has looked, and hold all of it.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import Balance


class _Tree(NamedTuple):
    """The accounts that share what the root has."""

    pid: int
    """A fork has none of those that wait."""
    ledger: int
    root: str

    @classmethod
    def of(cls, ledger: Ledger, balance: Balance) -> "_Tree":
        return cls(os.getpid(), id(ledger), balance.periods[-1].account)


class WaitingCalls:
    """How many calls wait, by the tree of accounts that they wait for."""

    def __init__(self) -> None:
        self._counts: Counter[_Tree] = Counter()
        self._lock = Lock()

    @contextmanager
    def waiting(self, ledger: Ledger, balance: Balance) -> Iterator[None]:
        """Counts a call for as long as it waits.

        Args:
            ledger: where it is to be booked.
            balance: of its account.
        """
        tree = _Tree.of(ledger, balance)
        with self._lock:
            self._counts[tree] += 1
        try:
            yield
        finally:
            with self._lock:
                self._counts -= Counter({tree: 1})  # which drops what has come to none

    def is_any(self, ledger: Ledger, balance: Balance) -> bool:
        """Whether a call waits for an account of the same tree."""
        with self._lock:
            return _Tree.of(ledger, balance) in self._counts


waiting_calls = WaitingCalls()
"""Of this process."""
