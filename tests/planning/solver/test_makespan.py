"""Makespans that can be checked by hand, and bounds that hold for all."""

from random import Random

import pytest

from thrifty.planning.solver.makespan import list_waits, makespan


@pytest.mark.parametrize(
    ("durations", "waits", "places", "flow", "waves"),
    [
        ([], [], 2, 0, 0),
        ([5], [()], 2, 5, 5),
        ([3, 2, 2], [(), (), ()], 1, 7, 7),
        ([3, 2, 2], [(), (), ()], 2, 4, 5),
        ([3, 2, 2], [(), (), ()], 3, 3, 3),
        ([1, 4, 3], [(), (0,), ()], 2, 5, 7),
        ([2, 2, 2], [(), (0,), (1,)], 3, 6, 6),
    ],
)
def test_by_hand(durations, waits, places, flow, waves):
    assert makespan(durations, waits, places, waves=False) == flow
    assert makespan(durations, waits, places, waves=True) == waves


def longest_path(durations: list[int], waits: list[list[int]]) -> int:
    """The makespan when everything may run at once: no schedule can be shorter."""
    ends: list[int] = []
    for duration, before in zip(durations, waits, strict=True):
        ends.append(duration + max((ends[i] for i in before), default=0))
    return max(ends, default=0)


def test_a_revision_waits_for_all_sections_and_a_step_for_what_is_listed():
    waits = list_waits("ABCD", ["X", "AX", "B", ""], [False, False, False, True])
    assert waits == [set(), {0}, {1}, {0, 1, 2}]


def test_no_schedule_beats_the_longest_path_or_the_shared_work():
    for seed in range(500):
        random = Random(seed)
        count = random.randint(1, 8)
        durations = [random.randint(0, 9) for _ in range(count)]
        waits = [[j for j in range(i) if random.random() < 0.3] for i in range(count)]
        places = random.randint(1, 4)
        flow = makespan(durations, waits, places, waves=False)
        waves = makespan(durations, waits, places, waves=True)
        least = max(longest_path(durations, waits), -(-sum(durations) // places))
        assert least <= flow <= sum(durations)
        assert least <= waves <= sum(durations)
