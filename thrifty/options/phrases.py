"""Whether a task asks for what a recipe makes: it begins with one of the recipe's phrases.

Nothing is parsed. Case and blanks are folded, and a greeting or a "please" may stand before a
phrase. A phrase that is missed costs a direct answer, and one that is found where it is not meant
costs a document that nobody asked for. So a phrase anywhere else does not count: "how do I write a
project plan" is a question, and what follows may be what the task is about.
"""

import re
import unicodedata
from collections.abc import Iterable

from thrifty.budget import InvalidInput, validate

PHRASES_MAX = 100
PHRASE_LENGTH_MAX = 120
BEGINNING_CHARACTERS = 4 * PHRASE_LENGTH_MAX
"""What is looked at of a task."""
OPENINGS = (
    *("hello", "hi", "hey", "ok", "okay", "now", "please", "kindly", "let's"),
    *("can you", "could you", "would you", "will you", "help me", "help us", "help me to"),
    *("i want you to", "i need you to", "i would like you to", "i'd like you to"),
)
"""What a person may say before what is to be done."""
OPENING_PATTERN = rf"(?:(?:{'|'.join(OPENINGS)})\b[\s,.!:-]*)*"


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
    """The first of these phrases that a task begins with, as whole words. Empty if none."""
    beginning = _fold(task[:BEGINNING_CHARACTERS])
    for phrase in phrases:
        if re.match(rf"{OPENING_PATTERN}{re.escape(_fold(phrase))}(?!\w)", beginning):
            return phrase
    return ""


def _fold(text: str) -> str:
    straight = text.replace("\u2019", "'")  # as word processors write it
    return " ".join(unicodedata.normalize("NFKC", straight).casefold().split())
