"""The processor's time of a planner: the fastest of several runs."""

from collections.abc import Callable
from math import inf
from time import process_time
from typing import TypeVar

T = TypeVar("T")


def time_fastest(plan: Callable[[], T], runs: int, once_s: float = inf) -> tuple[T, float]:
    """The plan, and the seconds of the fastest run; what takes longer than `once_s` is run once."""
    fastest = inf
    for _ in range(runs):
        start = process_time()
        made = plan()
        fastest = min(fastest, process_time() - start)
        if fastest > once_s:
            break
    return made, fastest
