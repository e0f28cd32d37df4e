"""How long answers have been: a quantile, also where some of them were cut."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty.models.costs.output_lengths import (
    ANSWERS_MAX,
    ANSWERS_MIN,
    KINDS_MAX,
    AnswerKind,
    OutputLengths,
)

KIND = AnswerKind("http://127.0.0.1/v1", "m", "letters")
TOKENS = st.integers(1, 5_000)


def known(whole=(), cut=()):
    lengths = OutputLengths()
    for tokens in whole:
        lengths.note(KIND, tokens, is_cut=False)
    for tokens in cut:
        lengths.note(KIND, tokens, is_cut=True)
    return lengths


@given(
    st.lists(TOKENS, min_size=ANSWERS_MIN, max_size=ANSWERS_MAX),
    st.sampled_from((0.5, 0.75, 0.9, 0.95)),
)
def test_of_whole_answers_it_is_the_shortest_length_that_the_share_does_not_pass(whole, share):
    expected = sorted(whole)[ceil(round(share * len(whole), 9)) - 1]
    assert known(whole).quantile(KIND, share) == expected


@given(st.lists(TOKENS, min_size=ANSWERS_MIN, max_size=60), st.lists(TOKENS, max_size=60))
def test_answers_that_were_cut_never_make_it_shorter(whole, cut):
    without, beside = known(whole).quantile(KIND, 0.9), known(whole, cut).quantile(KIND, 0.9)
    assert without is not None
    assert beside is None or beside >= without


@pytest.mark.parametrize("count", [0, ANSWERS_MIN - 1])
def test_a_few_answers_say_nothing(count):
    assert known([100] * count).quantile(KIND, 0.9) is None


def test_where_too_many_were_cut_it_is_not_known():
    assert known([100] * 9, cut=[100]).quantile(KIND, 0.9) == 100
    assert known([100] * 8, cut=[100] * 2).quantile(KIND, 0.9) is None


def test_what_was_cut_early_says_nothing_of_longer_answers():
    assert known([100] * 9 + [200], cut=[5] * 50).quantile(KIND, 0.9) == 100


def test_each_kind_has_its_own():
    lengths = known([100] * ANSWERS_MIN)
    for field in KIND._fields:
        assert lengths.quantile(KIND._replace(**{field: "other"}), 0.9) is None


def test_the_newest_answers_count_and_old_kinds_are_forgotten():
    lengths = known([9] * ANSWERS_MAX + [100] * ANSWERS_MAX)
    assert lengths.quantile(KIND, 0.5) == 100
    for number in range(KINDS_MAX):
        lengths.note(KIND._replace(label=str(number)), 1, is_cut=False)
    assert lengths.quantile(KIND, 0.5) is None
