"""How long a set of steps takes when several run side by side.

The finishing time (makespan) of a list schedule: steps start in the order of the list, each
once what it waits for is done and a place is free. Source: R. L. Graham, "Bounds on
multiprocessing timing anomalies", SIAM J. Appl. Math. 17 (1969). A list schedule can get
longer when a step gets shorter or falls away, so nothing here is assumed to be monotone.
"""

from collections.abc import Collection, Hashable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple


class MakespanLimit(NamedTuple):
    """A limit on the makespan."""

    limit: int
    row: int
    """The row that holds durations; its capacity is the limit times the concurrency."""
    concurrency: int
    waves: bool


def list_waits(
    steps: Sequence[Hashable],
    follows: Sequence[Collection[Hashable]],
    is_revision: Sequence[bool],
) -> list[set[int]]:
    """For each step of a list, the places of the steps that must be done before it.

    Args:
        steps: their names or numbers, each after those that it follows.
        follows: for each, what it follows; what is not in the list is done, or left out.
        is_revision: for each, whether it waits for all before it that are no revisions.
    """
    place_of = {step: place for place, step in enumerate(steps)}
    waits = [{place_of[name] for name in names if name in place_of} for names in follows]
    for place, is_last in enumerate(is_revision):
        if is_last:
            waits[place].update(i for i in range(place) if not is_revision[i])
    return waits


def makespan(
    durations: Sequence[int], waits: Sequence[Collection[int]], concurrency: int, *, waves: bool
) -> int:
    """The time from the first start to the last end.

    Args:
        durations: of each step, in the order in which steps are started.
        waits: for each step, the places in the list of the steps that must be done before it.
        concurrency: how many steps may run at a time.
        waves: whether the next steps start only when all that started together are done.
    """
    open_waits = list(map(len, waits))
    followers: list[list[int]] = [[] for _ in waits]
    for i, before in enumerate(waits):
        for earlier in before:
            followers[earlier].append(i)
    ready = [i for i, count in enumerate(open_waits) if not count]  # sorted, and so a heap
    running: list[tuple[int, int]] = []
    now = 0
    while ready or running:
        while ready and len(running) < concurrency:
            i = heappop(ready)
            heappush(running, (now + durations[i], i))
        # A wave is over when its last step is: nothing starts in the places that others left.
        now = max(running)[0] if waves else running[0][0]
        while running and running[0][0] <= now:
            for follower in followers[heappop(running)[1]]:
                open_waits[follower] -= 1
                if not open_waits[follower]:
                    heappush(ready, follower)
    return now
