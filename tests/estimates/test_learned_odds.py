"""What ratings and verdicts of earlier runs say of later ones."""

import json
from random import Random

import pytest

from thrifty import InvalidInput, Spend
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import BilledOption, BillHistory
from thrifty.estimates.learned_odds import NO_ODDS, LearnedOdds, learn_odds
from thrifty.steering.forecast import ExecutorModel

CHEAP, STRONG = ExecutorModel("llm", "cheap"), ExecutorModel("llm", "strong")
KIND, CHECK, PRIOR = "sums", "arithmetic", (0.8, 0.6)
SPEND = Spend(100)


def record(run: int, **about: object) -> BillRecord:
    return BillRecord(f"run {run}", SPEND, 0.3, SPEND, SPEND, "S", KIND, **about)


def history(cheap: list[BillRecord], strong: list[BillRecord] | None = None) -> BillHistory:
    return BillHistory(
        {
            BilledOption("S (cheap)", CHEAP): tuple(cheap),
            BilledOption("S (strong)", STRONG): tuple(strong or ()),
        }
    )


def test_nothing_seen_is_the_prior():
    assert learn_odds(BillHistory({})) == NO_ODDS
    assert NO_ODDS.chance(CHEAP, KIND, 0.65, CHECK, PRIOR) == 0.65
    assert NO_ODDS.strength(CHECK, KIND, PRIOR) == pytest.approx(PRIOR)
    assert NO_ODDS.after_wrong(CHEAP, STRONG, KIND, 0.4) == pytest.approx(0.4)
    assert NO_ODDS.bill_ratio(STRONG, KIND, 1.2) == pytest.approx(1.2)


def test_four_ratings_count_as_much_as_the_prior():
    odds = learn_odds(history([record(n, rating=1.0) for n in range(4)]))
    assert odds.chance(CHEAP, KIND, 0.6, "", PRIOR) == pytest.approx(0.8)
    assert odds.chance(STRONG, KIND, 0.6, "", PRIOR) == 0.6
    assert odds.chance(CHEAP, "prose", 0.6, "", PRIOR) == 0.6


def test_a_check_is_known_by_what_was_rated():
    right = [record(n, check=CHECK, passed=n > 0, rating=1.0) for n in range(10)]
    wrong = [record(n, check=CHECK, passed=n > 2, rating=0.0) for n in range(10, 20)]
    odds = learn_odds(history([*right, *wrong]))
    sensitivity, specificity = odds.strength(CHECK, KIND, PRIOR)
    assert sensitivity == pytest.approx((8 + 9) / 20)
    assert specificity == pytest.approx((6 + 0) / 20)


def test_many_observations_find_the_truth():
    """Answers are right in 70%, the check passes 95% of these and fails 50% of the others. The
    second is right in 40% where the first was wrong."""
    draw, first, second = Random(3), [], []
    for run in range(4_000):
        is_right = draw.random() < 0.7
        passed = draw.random() < (0.95 if is_right else 0.5)
        first.append(record(run, check=CHECK, passed=passed, rating=float(is_right)))
        if not passed:
            again = draw.random() < (0.4 if not is_right else 0.9)
            second.append(record(run, after="S (cheap)", rating=float(again)))
    odds = learn_odds(history(first, second))
    assert odds.chance(CHEAP, KIND, 0.3, CHECK, PRIOR) == pytest.approx(0.7, abs=0.03)
    assert odds.strength(CHECK, KIND, PRIOR) == pytest.approx((0.95, 0.5), abs=0.05)
    assert odds.after_wrong(CHEAP, STRONG, KIND, 0.9) == pytest.approx(0.4, abs=0.04)


def test_verdicts_without_a_rating_are_weak_evidence():
    passing = learn_odds(history([record(n, check=CHECK, passed=True) for n in range(500)]))
    failing = learn_odds(history([record(n, check=CHECK, passed=False) for n in range(500)]))
    up = passing.chance(CHEAP, KIND, 0.6, CHECK, PRIOR)
    down = failing.chance(CHEAP, KIND, 0.6, CHECK, PRIOR)
    assert down < 0.6 < up
    assert up - 0.6 <= 0.4 * 4 / 8 + 1e-9
    assert passing.strength(CHECK, KIND, PRIOR) == pytest.approx(PRIOR)


def test_what_a_second_attempt_came_to_is_kept_apart():
    dear = BillRecord("run 1", SPEND, 0.3, SPEND, Spend(300), "S", KIND, after="S (cheap)")
    odds = learn_odds(history([record(1)], [dear]))
    assert odds.bill_ratio(STRONG, KIND, 1.3) == pytest.approx((13 + 3) / 11)
    assert odds.bill_ratio(CHEAP, KIND, 1.3) == pytest.approx(1.3)


def test_it_survives_a_checkpoint():
    odds = learn_odds(history([record(1, check=CHECK, passed=True, rating=1.0)]))
    assert LearnedOdds.from_state(json.loads(json.dumps(odds.to_state()))) == odds


@pytest.mark.parametrize("bad", [float("nan"), -1.0, 1e9, "many"])
def test_a_state_that_lies_is_refused(bad):
    with pytest.raises(InvalidInput, match=r"odds\.ratings"):
        LearnedOdds(ratings={"[]": (bad, 1.0)})


@pytest.mark.parametrize(
    ("name", "amounts"),
    [
        ("ratings", (1.0,)),
        ("ratings", (50.0, 1.0)),
        ("checks", (1.0, 1.0)),
        ("checks", (0.0, 0.0, 3.0, 1.0)),
        ("seconds", ()),
        ("verdicts", (2.0, 1.0)),
        ("bills", (1.0, 1.0, 1.0)),
    ],
)
def test_sums_from_which_no_chance_follows_are_refused(name, amounts):
    with pytest.raises(InvalidInput, match=f"odds.{name}"):
        LearnedOdds(**{name: {"key": amounts}})
