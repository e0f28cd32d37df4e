"""Points of a run at which its process can be killed: around each write and each call."""

import os
import signal
from typing import Any

LEDGER = (
    "open",
    "take",
    "leave",
    "reserve",
    "mark_sent",
    "settle",
    "charge_in_full",
    "release",
    "grant",
    "reclaim",
)
CHECKPOINTER = ("put", "put_writes")


class Points:
    """Counts the points that a run passes, and kills it at one of them."""

    def __init__(self, kill_at: int | None) -> None:
        self.kill_at = kill_at
        self.passed: list[str] = []

    def reach(self, name: str) -> None:
        """Passes a point, unless it is the last one of this process."""
        self.passed.append(name)
        if len(self.passed) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

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
