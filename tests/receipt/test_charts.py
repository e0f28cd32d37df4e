"""The marks of the pictures stand where the figures say."""

from dataclasses import replace

import pytest
from hypothesis import given

from tests.budget.strategies import texts
from tests.receipt.samples import RECEIPT
from tests.receipt.strategies import receipts
from thrifty.budget import Budget
from thrifty.budget.resources import TOKENS
from thrifty.receipt import charts


def tokens(receipt):
    return next(gauge for gauge in charts.gauges(receipt) if gauge.resource is TOKENS)


def test_a_bar_starts_ends_and_was_expected_to_end_at_its_times():
    outline = charts.timeline_rows(RECEIPT)[1]
    assert charts.end_ms(RECEIPT) == 8650
    assert outline.start == pytest.approx(100 * 910 / 8650)
    assert outline.width == pytest.approx(100 * 3180 / 8650)
    assert outline.planned_width == pytest.approx(100 * 2200 / 8650)
    assert charts.timeline_rows(RECEIPT)[-1].start is None


def test_the_stair_rises_by_each_bill_at_its_time_and_ends_at_the_total():
    curve = charts.spend_curves(RECEIPT)[0]
    assert curve.gauge == tokens(RECEIPT)
    assert [round(stair.rise * 60) for stair in curve.stairs] == [0, 590, 1440, 1900, 700]
    assert curve.stairs[2].start == pytest.approx(100 * 4090 / 8650)
    assert curve.stairs[-1].height == pytest.approx(100 * 4630 / 6000)
    assert curve.limit_height == 100.0


def test_segments_lie_end_to_end_within_the_limit():
    found = charts.gauge_segments(RECEIPT, tokens(RECEIPT))
    assert [segment.line for segment in found] == [0, 1, 2, 3]
    assert sum(segment.width for segment in found) == pytest.approx(100 * 4630 / 6000)
    over = replace(RECEIPT, budget=Budget(1000))
    assert sum(x.width for x in charts.gauge_segments(over, tokens(over))) == pytest.approx(100)
    assert tokens(over).is_over


def test_turns_close_together_are_one_and_plans_are_none():
    assert [turn.kinds for turn in charts.decision_marks(RECEIPT)] == [
        ("replan", "downgrade"),
        ("skip",),
    ]


@pytest.mark.parametrize("end", [1, 2, 7, 99, 1_000, 8_650, 12_345_678])
def test_ticks_are_round_and_few(end):
    times = [round(tick.at * end / 100) for tick in charts.axis_ticks(end)]
    assert times[0] == 0
    assert times[-1] <= end
    assert len(times) <= 5
    assert len(times) > min(end, charts.TICKS_MIN)


def test_an_axis_has_one_unit():
    assert [tick.label for tick in charts.axis_ticks(11_700)] == ["0 s", "5 s", "10 s"]
    assert {tick.label.split()[1] for tick in charts.axis_ticks(900)} == {"ms"}


@given(receipts(texts))
def test_nothing_is_drawn_outside_the_picture(receipt):
    for row in charts.timeline_rows(receipt):
        assert row.start is None or 0 <= row.start <= row.start + row.width <= 100.001
    for curve in charts.spend_curves(receipt):
        assert all(0 <= s.start <= s.start + s.width <= 100.001 for s in curve.stairs)
        assert all(0 <= s.rise <= s.height + 0.001 <= 100.002 for s in curve.stairs)
    for gauge in charts.gauges(receipt):
        assert sum(s.width for s in charts.gauge_segments(receipt, gauge)) <= 100.001
    assert all(0 <= turn.at <= 100 for turn in charts.decision_marks(receipt))
