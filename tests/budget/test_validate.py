"""The checks of single values: what passes, what is refused, and in which words."""

import math

import pytest

from thrifty.budget import InvalidInput, validate


def refusal(check, *arguments, **options) -> tuple[str, object, str]:
    with pytest.raises(InvalidInput) as refused:
        check(*arguments, **options)
    return refused.value.field, refused.value.value, refused.value.remedy


@pytest.mark.parametrize("value", [0, 1, 10**15])
def test_a_whole_number_in_range_is_an_amount(value):
    assert validate.amount("f", value) == value


@pytest.mark.parametrize("value", [-1, 10**15 + 1, True, 5.0, "5", None, math.nan])
def test_anything_else_is_no_amount(value):
    remedy = "use a whole number from 0 to 1,000,000,000,000,000"
    assert refusal(validate.amount, "f", value) == ("f", value, remedy)


def test_an_amount_can_have_narrower_bounds():
    assert validate.amount("f", 3, minimum=3, maximum=3) == 3
    narrow = {"minimum": 3, "maximum": 4_000}
    for value in (2, 4_001):
        expected = ("f", value, "use a whole number from 3 to 4,000")
        assert refusal(validate.amount, "f", value, **narrow) == expected


def test_a_finite_number_in_range_is_a_number():
    assert validate.number("f", 0) == 0.0
    assert type(validate.number("f", 1)) is float
    assert validate.number("f", 1_000_000) == 1_000_000.0
    assert validate.number("f", -2.5, minimum=-2.5, maximum=-1) == -2.5


@pytest.mark.parametrize("value", [-0.1, 1_000_000.1, True, "5", None, math.inf, math.nan, 10**400])
def test_anything_else_is_no_number(value):
    assert refusal(validate.number, "f", value)[::2] == ("f", "use a number from 0 to 1e+06")


def test_a_text_has_something_in_it_and_an_end():
    assert validate.text("f", "x" * 100_000) == "x" * 100_000
    assert validate.text("f", " ab ", maximum=4) == " ab "
    assert refusal(validate.text, "f", "x" * 100_001)[2] == "use at most 100,000 characters"
    assert refusal(validate.text, "f", "abcd", maximum=3) == (
        "f",
        "abcd",
        "use at most 3 characters",
    )
    for value in ("", " \n", None, 5):
        assert refusal(validate.text, "f", value) == ("f", value, "write some text")


def test_a_string_may_be_empty():
    assert validate.any_string("f", "") == ""
    assert refusal(validate.any_string, "f", 5) == ("f", 5, "use a text")


def test_a_choice_is_one_of_a_few_words():
    assert validate.choice("f", "b", ("b", "a")) == "b"
    for value in ("c", None, ["a"]):
        assert refusal(validate.choice, "f", value, ("b", "a")) == ("f", value, "use one of: a, b")


def test_a_record_has_no_field_but_those_that_are_known():
    assert validate.record("f", {"b": 1}, ("b", "a")) == {"b": 1}
    assert refusal(validate.record, "f", [1], ("b", "a")) == (
        "f",
        [1],
        "use a mapping with any of: b, a",
    )
    assert refusal(validate.record, "f", {"b": 1, "c": 2}, ("b", "a")) == (
        "f.c",
        2,
        "known fields: b, a",
    )


def test_a_complete_record_has_every_field_that_is_needed():
    assert validate.complete_record("f", {"a": 1, "c": 3}, iter(["a"]), ["c"]) == {"a": 1, "c": 3}
    assert validate.complete_record("f", {"a": 1}, ["a"], ["c"]) == {"a": 1}
    missing = ("f.b", None, "it is missing; fill it in")
    assert refusal(validate.complete_record, "f", {"a": 1}, ["a", "b"]) == missing
    unknown = ("f.d", 1, "known fields: a, c")
    assert refusal(validate.complete_record, "f", {"a": 1, "d": 1}, ["a"], ["c"]) == unknown


def test_a_sequence_is_a_list_or_was_one():
    assert validate.sequence("f", (1, 2)) == [1, 2]
    given = [1]
    assert validate.sequence("f", given) == given
    for value in ("ab", None, {1: 2}):
        assert refusal(validate.sequence, "f", value) == ("f", value, "use a list")


def test_a_span_is_two_moments_in_their_order_or_none():
    validate.time_span("f", None, None)
    validate.time_span("f", 3, 3)
    assert refusal(validate.time_span, "f", 4, 3)[:2] == ("f.ended_ms", 3)
    assert refusal(validate.time_span, "f", 4, None)[:2] == ("f.ended_ms", None)
    assert refusal(validate.time_span, "f", None, 4)[:2] == ("f.started_ms", None)
    assert refusal(validate.time_span, "f", -1, 4)[:2] == ("f.started_ms", -1)


def test_unique_names_stand_once_each():
    validate.unique_names("f", ["a", "b"])
    expected = ("f", "a", "give each one a name of its own")
    assert refusal(validate.unique_names, "f", ["a", "b", "a"]) == expected
