"""How long this process waited for a processor: what others on the machine add to a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

LOOK_EVERY_S = 0.02
NANO_PER_MS = 1_000_000


class LostTime:
    """Adds up, thread by thread, for how long each was ready and did not run.

    Linux counts it (`/proc/*/schedstat`, the second number). Elsewhere nothing is known to be lost.
    """

    def __init__(self) -> None:
        self._before = self._waited_ns()
        self._waited = dict(self._before)
        self._over = Event()
        self._thread = Thread(target=self._watch)
        self._thread.start()

    @property
    def ms(self) -> int:
        """What all threads lost until now, together: never less than what one of them did."""
        self._look()
        lost_ns = sum(ns - self._before.get(task, 0) for task, ns in self._waited.items())
        return lost_ns // NANO_PER_MS

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            self._look()

    def _look(self) -> None:
        """Threads end, and their counts with them: so it looks again and again."""
        self._waited |= self._waited_ns()

    @staticmethod
    def _waited_ns() -> dict[str, int]:
        found = {}
        for task in Path("/proc/self/task").glob("*/schedstat"):
            try:
                found[task.parent.name] = int(task.read_text().split()[1])
            except (OSError, IndexError):
                continue  # it has just ended
        return found


@contextmanager
def lost_time() -> Iterator[LostTime]:
    """Counts while the block runs."""
    lost = LostTime()
    try:
        yield lost
    finally:
        lost.close()
