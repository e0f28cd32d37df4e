"""A clock that stands while this process does: stopped by Ctrl-Z, or asleep with its machine.

No system tells a process for how long it was stopped. So a thread looks at the time again and
again, and where it comes much too late while the process has used no processor, the process did
not run. A machine that is merely busy is told from that by the processor time of the process.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock, Thread

NANO_PER_S = 1_000_000_000
LOOK_EVERY_S = 0.25
STOPPED_NS_MIN = NANO_PER_S
"""Who comes so much too late was stopped: a shorter stop counts as active time."""
LOOKS_UNWATCHED_MAX = 20
"""How often it still looks while nobody measures: between two nodes nobody does."""


class ActiveClock:
    """Monotonic time without that in which this process was stopped.

    Only what happens while somebody watches is noticed, so whoever measures watches.

    Args:
        monotonic_ns: a clock that nobody can set.
        processor_ns: how long this process has used processors.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int] = lambda: time.monotonic_ns(),
        processor_ns: Callable[[], int] = time.process_time_ns,
    ) -> None:
        self._monotonic_ns, self._processor_ns = monotonic_ns, processor_ns
        self._lock = RLock()
        self._stopped_ns = 0
        self._looked_ns = self._used_ns = 0
        self._is_looking = False
        self._watching = 0

    def now_ns(self) -> int:
        """The time, of which only differences mean something."""
        now_ns = self._monotonic_ns()
        if self._is_looking and now_ns - self._looked_ns > STOPPED_NS_MIN:
            self.look()
        return now_ns - self._stopped_ns

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Notices, while it lasts, when the process is stopped."""
        with self._lock:
            self._watching += 1
            self._begin_looking()
        try:
            yield
        finally:
            with self._lock:
                self._watching -= 1

    def look(self) -> None:
        """Compares the time that has gone by since the last look with what it should be."""
        with self._lock:
            now_ns, used_ns = self._monotonic_ns(), self._processor_ns()
            gone_ns = now_ns - self._looked_ns
            idle_ns = gone_ns - max(0, used_ns - self._used_ns)
            if self._is_looking and idle_ns > STOPPED_NS_MIN:
                self._stopped_ns += min(idle_ns, gone_ns - round(LOOK_EVERY_S * NANO_PER_S))
            self._looked_ns, self._used_ns = now_ns, used_ns

    def _begin_looking(self) -> None:
        if self._is_looking:
            return
        self.look()
        thread = Thread(target=self._keep_looking, name="thrifty-clock", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is about to end
            return
        self._is_looking = True

    def _keep_looking(self) -> None:
        unwatched = 0
        while unwatched < LOOKS_UNWATCHED_MAX:
            time.sleep(LOOK_EVERY_S)
            with self._lock:
                self.look()
                unwatched = 0 if self._watching else unwatched + 1
                if unwatched == LOOKS_UNWATCHED_MAX:
                    self._is_looking = False

    def begin_in_fork(self) -> None:
        """Looks by itself: no thread comes along into a fork, and nobody there frees a lock."""
        stopped_ns = self._stopped_ns
        self.__init__(self._monotonic_ns, self._processor_ns)  # type: ignore[misc]
        self._stopped_ns = stopped_ns


ACTIVE_CLOCK = ActiveClock()
"""The clock of this process, by which deadlines end and latencies are measured."""

if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=ACTIVE_CLOCK.begin_in_fork)
