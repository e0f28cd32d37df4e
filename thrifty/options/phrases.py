"""Whether a task has one of a recipe's phrases: as texts, with case and blanks folded.

Nothing is parsed. A phrase that is missed costs a direct answer, and one that is found where it is
not meant costs a document that nobody asked for. So only the beginning of a task is looked at, as
what follows may be what the task is about.
"""

import re
import unicodedata
from collections.abc import Iterable

from thrifty.budget import InvalidInput, validate

PHRASES_MAX = 100
PHRASE_LENGTH_MAX = 120
BEGINNING_CHARACTERS = 100
"""Where a person says what is to be done."""


def check_phrases(field: str, phrases: tuple[str, ...]) -> None:
    """Checks the phrases of a recipe.

    Raises:
        InvalidInput: there are too many, or one has no word.
    """
    validate.strings(field, phrases)
    if len(phrases) > PHRASES_MAX:
        raise InvalidInput(field, phrases, f"use at most {PHRASES_MAX} phrases")
    for phrase in phrases:
        validate.text(field, phrase, maximum=PHRASE_LENGTH_MAX)
        if not any(letter.isalnum() for letter in phrase):
            raise InvalidInput(field, phrase, "use a phrase with a word in it")


def find_phrase(task: str, phrases: Iterable[str]) -> str:
    """The first of these phrases that the beginning of a task has as whole words. Empty if none."""
    beginning = _fold(task[: 4 * BEGINNING_CHARACTERS])[:BEGINNING_CHARACTERS]
    for phrase in phrases:
        if re.search(rf"(?<!\w){re.escape(_fold(phrase))}(?!\w)", beginning):
            return phrase
    return ""


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
