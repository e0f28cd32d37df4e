"""A lock for tables in memory: threads come in one after another, and none comes in twice."""

from collections.abc import Callable
from threading import RLock
from typing import TypeVar

from thrifty.budget import LedgerUnavailable

T = TypeVar("T")


class TransactionLock:
    """Lets one transaction run at a time.

    A signal handler that asks the ledger may have interrupted a transaction in its own thread,
    which cannot go on before the handler returns. It is refused, where it would wait for ever.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._is_running = False

    def run(self, transaction: Callable[[], T]) -> T:
        """Runs a transaction while no other one runs.

        Raises:
            LedgerUnavailable: one is running in this thread.
        """
        with self._lock:
            if self._is_running:
                raise LedgerUnavailable(
                    "a ledger in memory was asked within one of its own transactions, as by a "
                    "signal handler; ask after it has ended, or use a SqliteLedger"
                )
            self._is_running = True
            try:
                return transaction()
            finally:
                self._is_running = False
