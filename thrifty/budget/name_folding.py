"""Folds names for comparison: two names that look the same to a reader fold to the same text."""

import unicodedata

GREEK = dict(zip("αβεζηικμνορτυχ", "abezhikmnoptyx", strict=True))
CYRILLIC = dict(zip("авекмнорстухіјѕһԁԛԝӏ", "abekmhopctyxijshdqwl", strict=True))
LATIN = {"\N{LATIN SMALL LETTER DOTLESS I}": "i", "\N{LATIN SMALL LETTER ALPHA}": "a"}
LOOK_ALIKES = str.maketrans({**GREEK, **CYRILLIC, **LATIN})
"""Letters that pass for Latin ones, small or as capitals. Not all that Unicode has: those with
which one alphabet is mistaken for another."""
VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))


def fold_name(name: str) -> str:
    """A name without case, width, blanks too many, invisible characters and borrowed letters.

    Reference: the skeletons of Unicode Technical Standard 39, for three alphabets.
    """
    # In this order: wide and ligated letters must be plain ones before they can look alike.
    letters = unicodedata.normalize("NFKC", name).casefold().translate(LOOK_ALIKES)
    return " ".join("".join(filter(_is_visible, letters)).split())


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) != "Cf" and character not in VARIATION_SELECTORS
