"""The active time of runs: what the latency limit limits.

The clock is monotonic, so that a changed system time wins or loses nothing. A run that waits
for a person is paused; a run that is resumed elsewhere goes on from the time its state knows.
"""

import time
from collections.abc import Callable
from threading import Lock

NANO_PER_MS = 1_000_000


class RunClock:
    """Measures, for any number of runs at once, how long each has been active."""

    def __init__(self, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._now_ns = now_ns
        self._started_ns: dict[str, int] = {}
        self._lock = Lock()

    def active_ms(self, run_id: str, known_ms: int) -> int:
        """How long a run has been active; the first call of a process goes on from `known_ms`."""
        now_ns = self._now_ns()
        with self._lock:
            started_ns = self._started_ns.setdefault(run_id, now_ns - known_ms * NANO_PER_MS)
        return max(known_ms, (now_ns - started_ns) // NANO_PER_MS)

    def pause(self, run_id: str) -> None:
        """Stops counting; the next call of `active_ms` starts again from what it is told."""
        with self._lock:
            self._started_ns.pop(run_id, None)
