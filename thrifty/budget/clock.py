"""Time as it is counted everywhere: whole milliseconds of a clock that nobody can set."""

from thrifty.budget.active_clock import ACTIVE_CLOCK, NANO_PER_S

__all__ = ["ACTIVE_CLOCK", "NANO_PER_MS", "NANO_PER_S", "NANO_PER_US", "elapsed_ms", "now_ns"]

NANO_PER_US = 1_000
NANO_PER_MS = 1_000_000

now_ns = ACTIVE_CLOCK.now_ns


def elapsed_ms(started_ns: int) -> int:
    """How long ago a moment of `now_ns` was, without the time in which the process was stopped."""
    return (now_ns() - started_ns) // NANO_PER_MS
