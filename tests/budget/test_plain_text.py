"""Text from outside, made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrifty.budget.plain_text import single_line, strip_unprintable, trim_text


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[2Ja\x00\x07b\x7f\x9b", "[2Jab"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("שלום (ISO 9001)\u200f شكرًا\u061c", "שלום (ISO 9001)\u200f شكرًا\u061c"),
        ("\ufeffa\ufff9", "a"),
        ("a\ud800b", "a\ufffdb"),
        ("Größe 数字 👨\u200d👩", "Größe 数字 👨\u200d👩"),
    ],
)
def test_what_could_do_harm_is_taken_out_and_nothing_else(text, harmless):
    assert strip_unprintable(text) == harmless


def test_a_text_keeps_the_indentation_of_its_first_line():
    assert trim_text("\r\n \t\n    if x:\n        go()\n\n ") == "    if x:\n        go()"
    assert trim_text("\x00 \ufeff\n") == ""


def test_a_name_is_known_by_how_it_looks():
    assert single_line("te\u200fam\u200e") == "team"


def test_a_single_line_has_one_blank_between_two_words():
    assert single_line(" a\t\tb\r\n\x1b[2Jc\n") == "a b [2Jc"


@given(st.text(st.characters(codec=None)))
def test_a_plain_text_can_be_written_and_stays_as_it_is(text):
    strip_unprintable(text).encode()
    assert single_line(text) == single_line(strip_unprintable(text))
    assert strip_unprintable(strip_unprintable(text)) == strip_unprintable(text)
