"""The odds of two attempts with a check between them, against every path there is."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty import InvalidInput
from thrifty.planning.check_odds import CheckOdds, prior_odds

chances = st.floats(0.01, 0.99)
CASES = st.builds(
    CheckOdds, chances, chances, st.floats(0.6, 1.0), st.floats(0.5, 1.0), chances, chances,
    st.floats(1.0, 3.0),
)  # fmt: skip


def paths(odds: CheckOdds):
    """Each path: how likely it is, whether the first was right, failed, and the second is right."""
    for is_right, fails, again in product((True, False), repeat=3):
        chance = odds.first if is_right else 1 - odds.first
        caught = 1 - odds.sensitivity if is_right else odds.specificity
        mended = odds.after_right if is_right else odds.after_wrong
        chance *= caught if fails else 1 - caught
        yield chance * (mended if again else 1 - mended), is_right, fails, again


@given(CASES)
def test_the_formulas_are_those_of_all_paths(odds):
    total = failed = right = kept = second = 0.0
    for chance, is_right, fails, again in paths(odds):
        total += chance
        failed += chance * fails
        right += chance * (again if fails else is_right)
        kept += chance * (fails and is_right)
        second += chance * (fails and again)
    assert total == pytest.approx(1.0)
    assert odds.fail_chance == pytest.approx(failed)
    assert odds.quality == pytest.approx(right)
    assert odds.kept_quality * failed == pytest.approx(kept)
    assert odds.quality_after_fail * failed == pytest.approx(second)


@given(CASES)
def test_the_bill_after_a_failure_is_that_of_the_paths(odds):
    """With bills of 1 and `wrong_bill_ratio`, of which the mean is known."""
    bills = {True: 1.0, False: odds.wrong_bill_ratio}
    mean = odds.first * bills[True] + (1 - odds.first) * bills[False]
    failed = sum(chance for chance, _, fails, _ in paths(odds) if fails)
    spent = sum(chance * bills[is_right] for chance, is_right, fails, _ in paths(odds) if fails)
    assert odds.bill_ratio * mean * failed == pytest.approx(spent)


@given(chances, chances)
def test_a_priori_the_second_is_as_good_as_it_is_by_itself(first, then):
    odds = prior_odds(first, then)
    mixed = first * odds.after_right + (1 - first) * odds.after_wrong
    assert mixed == pytest.approx(then, abs=0.5)  # it is clipped where the two contradict
    if 0 < odds.after_right < 1:
        assert mixed == pytest.approx(then)
    assert odds.after_wrong >= 0.5 * then - 1e-12


def test_a_perfect_check_mends_all_that_the_second_can():
    odds = CheckOdds(0.6, 0.8, 1.0, 1.0, 0.7, 0.9)
    assert odds.quality == pytest.approx(0.6 + 0.4 * 0.7)
    assert odds.kept_quality == 0.0


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.5, 0.5), (0.9, 0.1), (0.0, 1.0)])
def test_a_check_that_tells_nothing_is_refused(sensitivity, specificity):
    with pytest.raises(InvalidInput, match="tells nothing"):
        prior_odds(0.5, 0.5, sensitivity, specificity)
