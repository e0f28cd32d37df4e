"""How long a set of steps takes when several run side by side.

The finishing time (makespan) of a list schedule: steps start in the order of the list, each
once what it waits for is done and a place is free. Source: R. L. Graham, "Bounds on
multiprocessing timing anomalies", SIAM J. Appl. Math. 17 (1969). A list schedule can get
longer when a step gets shorter or falls away, so nothing here is assumed to be monotone.
"""

from collections.abc import Collection, Sequence
from heapq import heappop, heappush


def makespan(
    durations: Sequence[int], waits: Sequence[Collection[int]], concurrency: int, *, waves: bool
) -> int:
    """The time from the first start to the last end.

    Args:
        durations: of each step, in the order in which steps are started.
        waits: for each step, the places in the list of the steps that must be done before it;
            earlier places only.
        concurrency: how many steps may run at a time.
        waves: whether the next steps start only when all that started together are done.
    """
    simulate = _wave_makespan if waves else _flow_makespan
    return simulate(durations, waits, concurrency)


def longest_path(durations: Sequence[int], waits: Sequence[Collection[int]]) -> int:
    """The makespan when everything may run at once: no schedule can be shorter."""
    ends: list[int] = []
    for duration, before in zip(durations, waits, strict=True):
        ends.append(duration + max((ends[i] for i in before), default=0))
    return max(ends, default=0)


def _flow_makespan(
    durations: Sequence[int], waits: Sequence[Collection[int]], concurrency: int
) -> int:
    open_waits = [set(before) for before in waits]
    waiting = list(range(len(durations)))
    running: list[tuple[int, int]] = []
    now = 0
    while waiting or running:
        ready = [i for i in waiting if not open_waits[i]][: concurrency - len(running)]
        for i in ready:
            waiting.remove(i)
            heappush(running, (now + durations[i], i))
        now = running[0][0]
        while running and running[0][0] == now:
            done = heappop(running)[1]
            for left in open_waits:
                left.discard(done)
    return now


def _wave_makespan(
    durations: Sequence[int], waits: Sequence[Collection[int]], concurrency: int
) -> int:
    done: set[int] = set()
    waiting = list(range(len(durations)))
    now = 0
    while waiting:
        wave = [i for i in waiting if done.issuperset(waits[i])][:concurrency]
        waiting = [i for i in waiting if i not in wave]
        done.update(wave)
        now += max(durations[i] for i in wave)
    return now
