"""Tells whether a task is certainly written in English."""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SAMPLE_MAX = 2_000
"""How many characters of a task are looked at."""
ENGLISH = _words(
    "about after all and announce are before birthday book build buy can choose clean compare "
    "could create days describe develop draft each every explain find five fix four from have "
    "help hire house how improve include including into kitchen learn make migrate months move my "
    "need next not office open optimise optimize organise organize our out party people please "
    "poem prepare proposal reduce renovate repair review school sell set should some summarise "
    "summarize tea teach that the their them they this three translate trip two under us use want "
    "wedding weeks what when where which who why will with within without work would write year "
    "you your"
)
"""Words of English and, but for a few names, of English alone."""
SHARED = _words("a an as at by for i is it of on or to up we")
"""Words of English that are words elsewhere, too: half as much evidence."""
OTHER = _words(
    "auf aus bei das dem den der des ein eine einem einen einer eines für im ist mit nach oder und "
    "von wie wir zu zum zur al como con del el en las los para por que se su una y au aux avec ce "
    "dans de du est et la le les pour sur un une che degli della di gli il nel nella per sono com "
    "da dos em os sobre um uma het een naar niet voor af att av det ett för och og på som til dla "
    "jest oraz się bir ve için untuk yang pentru és egy ja"
)
"""The commonest words of other languages, as far as they are none of English."""
EVIDENCE_MIN = 3
LETTERS_A_WORD = 4
"""So many letters that English does not have count as a word of another language."""


def is_english(task: str) -> bool:
    """Whether the beginning of the task is clearly English; where in doubt, it is not."""
    words = re.findall(r"[^\W\d_]+", task[:SAMPLE_MAX].casefold())
    evidence = sum(2 * (word in ENGLISH) + (word in SHARED) for word in words)
    others = sum(word in OTHER for word in words)
    foreign = sum(not letter.isascii() for word in words for letter in word)
    return evidence >= EVIDENCE_MIN + 2 * (others + foreign / LETTERS_A_WORD)
