"""Margins: the cone in whole numbers, and what observations make of it."""

import math
from random import Random

import pytest

from thrifty.planning.risk import (
    CONE_SCALE,
    SAMPLES_MIN,
    RiskMargin,
    fits_margin,
    margin_amount,
    margin_for_risk,
    sample_quantile,
)


def test_half_a_risk_is_no_margin():
    assert margin_for_risk(0.5) == RiskMargin(0, 0)


def test_the_gaussian_margin_is_the_normal_quantile():
    assert margin_for_risk(0.1).z_milli == 1282
    assert margin_for_risk(0.05).z_milli == 1645


def test_the_cone_in_integers_is_the_cone_in_floats():
    for seed in range(500):
        random = Random(seed)
        z = margin_for_risk(random.choice((0.05, 0.1, 0.3)))
        steps = [(random.randint(0, 1000), random.randint(0, 500)) for _ in range(4)]
        total = sum((amount * spread * z.z_milli) ** 2 for amount, spread in steps)
        exact = math.sqrt(sum((a * s / 1000 * z.z_milli / 1000) ** 2 for a, s in steps))
        assert margin_amount(total) == pytest.approx(exact, abs=1.001)
        assert margin_amount(total) >= exact - 1e-6
        assert fits_margin(margin_amount(total), total)
        assert margin_amount(total) == 0 or not fits_margin(margin_amount(total) - 1, total)


def test_few_samples_say_nothing():
    assert margin_for_risk(0.1, (5.0,) * (SAMPLES_MIN - 1)) == margin_for_risk(0.1)


def test_samples_of_a_gaussian_give_its_margin_back():
    random = Random(7)
    learned = margin_for_risk(0.1, [random.gauss(0, 1) for _ in range(4000)])
    assert learned.z_milli == pytest.approx(1282, abs=80)
    assert learned.shift_milli == pytest.approx(0, abs=40)


def test_samples_that_cost_too_much_shift_the_estimates():
    learned = margin_for_risk(0.1, (1.0,) * 30)
    assert learned == RiskMargin(1000, 0)


def test_a_quantile_is_a_sample():
    assert [sample_quantile([3, 1, 2, 4], p) for p in (0.01, 0.25, 0.5, 0.75, 1.0)] == [
        1,
        1,
        2,
        3,
        4,
    ]


def test_the_cone_is_a_fourth_power_of_thousandths():
    deviation_milli = z_milli = 1000
    assert (1 * deviation_milli * z_milli) ** 2 == CONE_SCALE
