"""Time as it is counted everywhere: whole milliseconds of a clock that nobody can set."""

import time

NANO_PER_US = 1_000
NANO_PER_MS = 1_000_000
NANO_PER_S = 1_000_000_000


def elapsed_ms(started_ns: int) -> int:
    """How long ago a moment of `time.monotonic_ns` was."""
    return (time.monotonic_ns() - started_ns) // NANO_PER_MS
