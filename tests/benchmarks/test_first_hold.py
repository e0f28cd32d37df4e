"""The benchmark of first holds on a small scale: nobody is over, and what is told is what was."""

import pytest

from benchmarks.first_hold import FOR_EVER_MS, QUANTILES, World, row, run_world
from thrifty.models.calls.first_hold import HOLD_QUANTILE


@pytest.fixture(scope="module")
def world():
    return World.drawn(0, callers=8, spread=0.5, room=1.3)


def test_the_same_world_gives_the_same_result(world):
    first, second = (run_world(world, HOLD_QUANTILE, FOR_EVER_MS) for _ in range(2))
    assert first == second


def test_callers_that_hold_less_at_first_wait_less_and_get_as_many_whole_answers(world):
    whole, *_, first = (row([run_world(world, each, FOR_EVER_MS)]) for each in QUANTILES)
    assert 0 < first[0] < whole[0]
    assert first[1] == whole[1] == 100


def test_with_room_for_all_nobody_waits_and_nobody_holds_less():
    roomy = World.drawn(0, callers=8, spread=0.5, room=10)
    results = [run_world(roomy, each, FOR_EVER_MS) for each in QUANTILES]
    assert results[0].waited_s == 0
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("quantile", QUANTILES)
def test_what_cannot_wait_is_refused_or_cut(world, quantile):
    result = run_world(world, quantile, 0)
    assert result.spent <= result.limit
    assert any(each.is_refused or not each.is_whole for each in result.asked)
