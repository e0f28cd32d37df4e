"""Slopes are turned away from where the last step came from."""

from random import Random

import pytest

from thrifty.planning.descent import turned
from thrifty.planning.relaxation import Prices


def test_what_leads_back_is_left_out_and_no_more():
    slopes = turned(Prices([1.0, 2.0], {(0, 1): -1.0}, {3: 1.0}), [-2.0, 0.0])
    assert slopes.rows == pytest.approx([0.0, 2.0])
    assert slopes.arcs == {(0, 1): -1.0}
    assert slopes.topics == {3: 1.0}


def test_slopes_that_lead_on_stay():
    slopes = Prices([1.0, 2.0], {}, {})
    assert turned(slopes, [1.0, -0.4]) is slopes
    assert turned(slopes, ()) is slopes


def test_a_slope_straight_back_stays_so_that_a_single_row_has_one():
    slopes = Prices([3.0], {}, {})
    assert turned(slopes, [-1.0]) is slopes


def test_a_turned_slope_is_at_right_angles_to_the_last_and_still_leads_down():
    random = Random(0)
    for _ in range(1_000):
        rows, before = ([random.uniform(-1, 1) for _ in range(4)] for _ in range(2))
        slopes = Prices(rows, {}, {})
        after = turned(slopes, before)
        if after is not slopes:
            assert sum(a * b for a, b in zip(after.rows, before, strict=True)) == pytest.approx(0)
            assert sum(a * b for a, b in zip(after.rows, rows, strict=True)) > 0
