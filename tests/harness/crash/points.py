"""Points of a run at which something can happen to it: around each write and each call."""

from collections.abc import Callable
from threading import Lock
from typing import Any

WRITES = (
    "open",
    "take",
    "give_back",
    "reserve",
    "mark_sent",
    "settle",
    "charge_in_full",
    "release",
    "grant",
    "reclaim",
)
READS = ("balance", "entry", "entries", "overruns")
CHECKPOINTER = ("put", "put_writes")
MODEL = ("run",)


class Points:
    """Counts the points that a run passes, and has an accident happen at one of them."""

    def __init__(self, at: int | None, accident: Callable[[str], None]) -> None:
        self._at, self._accident = at, accident
        self._lock = Lock()
        self.passed: list[str] = []

    def reach(self, name: str) -> None:
        """Passes a point, if nothing happens there."""
        with self._lock:
            self.passed.append(name)
            is_here = len(self.passed) == self._at
        if is_here:
            self._accident(name)

    @property
    def struck(self) -> str:
        """Where it happened; empty when the run did not get there."""
        return self.passed[self._at - 1] if self._at and len(self.passed) >= self._at else ""

    def around(self, thing: Any, names: tuple[str, ...], of: str) -> None:
        """Puts a point before and one after every call of these methods."""
        for name in names:
            setattr(thing, name, self._watched(getattr(thing, name), f"{of}.{name}"))

    def _watched(self, method: Any, name: str) -> Any:
        def watched(*given: Any, **options: Any) -> Any:
            self.reach(f"before {name}")
            result = method(*given, **options)
            self.reach(f"after {name}")
            return result

        return watched
