"""What two names are compared by."""

import pytest

from thrifty.budget.name_folding import fold_name


@pytest.mark.parametrize(
    "alike",
    [
        "RISK REGISTER",
        "  Risk \t Register\n",
        "Ri\u200bsk Reg\u00adister",
        "Ri\ufe0fsk Register",
        "\uff32\uff49\uff53\uff4b Register",
        "R\u0456sk R\u0435gister",
        "Risκ Register",
        "R\u0131sk Register",
        "Risk Reg\N{LATIN SMALL LETTER DOTLESS I}ster",
    ],
)
def test_names_that_a_reader_takes_for_the_same_are_the_same(alike):
    """Case, width, blanks, invisible characters, and letters borrowed from other alphabets."""
    assert fold_name(alike) == "risk register"


@pytest.mark.parametrize("other", ["Risk Registers", "RiskRegister", "Rísk Register", ""])
def test_names_that_a_reader_tells_apart_are_not_the_same(other):
    assert fold_name(other) != "risk register"


def test_letters_keep_their_alphabet_where_they_look_like_no_other():
    assert fold_name("ЖУК \N{LATIN SMALL LETTER ALPHA}") == "жyk a"
