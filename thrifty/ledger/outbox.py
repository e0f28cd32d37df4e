"""An outbox: what closes a call, or gives a run back, and could not be written yet.

Nobody asks a second time for what is in it: the call is over, its answer handed on. So the ledger
itself tries again, in order, before it does anything else, and once more as the process ends.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import NamedTuple

from thrifty.budget import LeaseLost, LedgerUnavailable, ReservationClosed, ThriftyError

Act = Callable[[], object]
"""Writes something to the ledger. Done twice, it changes nothing the second time."""

logger = logging.getLogger(__name__)


class _KeptAct(NamedTuple):
    act: Act
    what: str


class Outbox:
    """The acts of one ledger that are still to be written, the oldest first."""

    def __init__(self) -> None:
        self.kept: deque[_KeptAct] = deque()
        """What is still to be written."""
        # One that a thread can take twice: a signal's handler may ask the ledger, too.
        self._lock = RLock()
        self._is_flushing = False
        self._pid = os.getpid()

    def add(self, act: Act, what: str = "an act") -> None:
        """Keeps an act that could not be written.

        Args:
            act: writes it. It raises LedgerUnavailable for as long as it cannot.
            what: names it in the log.
        """
        self._leave_to_parent()
        self.kept.append(_KeptAct(act, what))

    def flush(self) -> None:
        """Writes what is kept, in order.

        Raises:
            LedgerUnavailable: the ledger still cannot be written. The rest stays.
        """
        if not self.kept:
            return
        self._leave_to_parent()
        with self._lock:
            if self._is_flushing:  # by this very thread, in which a signal came
                return
            self._is_flushing = True
            try:
                while self.kept:
                    self._write_first()
            finally:
                self._is_flushing = False

    def _write_first(self) -> None:
        """Writes the oldest act, and forgets it only then: an interrupt leaves it to the next."""
        act, what = self.kept[0]
        try:
            act()
        except LedgerUnavailable:
            raise
        except (ReservationClosed, LeaseLost) as error:
            logger.debug("%s need not be written any more: %s", what, error)
        except (ThriftyError, KeyError) as error:
            logger.warning("%s cannot be written: %s", what, error)
        self.kept.popleft()

    def _leave_to_parent(self) -> None:
        """Empties it in a fork: its parent has the same acts, and nobody here frees the lock."""
        if self._pid != os.getpid():
            self.__init__()  # type: ignore[misc]
