"""What a transaction has changed in tables of rows, so that it can be undone or written."""

from collections.abc import Callable
from typing import Any


class ChangedRows:
    """Tables that are dictionaries, and what their rows were before.

    Args:
        clock: the time, in milliseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._now_ms: int | None = None
        self._undo_log: list[tuple[dict[Any, Any], Any, Any]] = []
        """A table, a key and the row before the change; None where there was none."""

    def now_ms(self) -> int:
        """The time of this transaction: for all that it does, the same."""
        if self._now_ms is None:
            self._now_ms = self._clock()
        return self._now_ms

    def commit(self) -> None:
        """Keeps what was changed so far."""
        self._undo_log.clear()
        self._now_ms = None

    def roll_back(self) -> None:
        """Undoes what was changed since, even where a Ctrl-C ended that between two rows."""
        self._now_ms = None
        while self._undo_log:
            rows, key, before = self._undo_log.pop()
            if before is None:
                rows.pop(key, None)
            else:
                rows[key] = before

    def _put(self, rows: dict[Any, Any], key: Any, row: Any) -> None:
        self._undo_log.append((rows, key, rows.get(key)))
        rows[key] = row
