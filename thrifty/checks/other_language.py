"""Whether a text is in another language than its task, where both are plain to see.

Scripts are told apart by their letters, and languages of the Latin script by their commonest words.
Where a task speaks of a language or of translating, nobody knows which one it wants.
"""

import re
from collections import Counter
from unicodedata import name

LETTERS_MIN, WORDS_MIN = 40, 12
"""A text with fewer letters has no script, and with fewer words no language."""
SCRIPT_SHARE = 0.8
"""A text is in the script that has this share of its letters."""
WORD_SHARE = 0.12
"""It is in the language whose commonest words have this share of its words,"""
WORD_LEAD = 3
"""and so many times as much as those of any other."""
SCRIPTS = {"CJK": "Chinese or Japanese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}
"""How a script is called, where it is not by its own name."""
COMMON_WORDS = {
    "English": "the and of to is in that for with are this it as on be you by from an or",
    "German": "der die das und ist nicht ein eine zu den mit von auf für im sich dem auch wie es",
    "French": "le la les des et est une dans que pour qui sur pas avec du au ce sont il ne",
    "Spanish": "el los las y es una que en por con para del se su al como más lo pero sus",
    "Italian": "il di che è per una sono con non del della dei gli anche più nel alla ha le un",
    "Portuguese": "o os as e é uma que em por com para não do da dos das se como mais um",
    "Dutch": "de het een en van is dat op te niet zijn met voor ook aan er bij om maar deze",
}
LANGUAGES = {language: frozenset(words.split()) for language, words in COMMON_WORDS.items()}
SPEAKS_OF_LANGUAGE = re.compile(
    r"(?i)translat|übersetz|tradu|vertaal|language|sprache|langue|idioma|lingua|taal|english|"
    r"englis|german|deutsch|french|franz|français|spanish|spanis|español|italian|italien|"
    r"portug|dutch|niederl|chinese|chines|japan|korea|russi|arab|hindi|thai|greek|griech|hebrew|"
    r"翻译|翻訳|英語|英语|日本語|中文|перев|англ|русск"
)


def describe_other_language(text: str, task: str) -> str:
    """In which other language than its task a text is, in words. Empty where that is not sure.

    Args:
        text: what was written.
        task: what was asked.
    """
    if SPEAKS_OF_LANGUAGE.search(task):
        return ""
    wanted, written = _language(task), _language(text)
    if not wanted or not written or wanted == written:
        return ""
    return f"it is in {written}, and the task in {wanted}"


def _language(text: str) -> str:
    """The language of a text, or its script. Empty where that is not plain."""
    script = _script(text)
    return _latin_language(text) if script == "LATIN" else SCRIPTS.get(script, script.title())


def _script(text: str) -> str:
    letters = [letter for letter in text[:4_000] if letter.isalpha()]
    if len(letters) < LETTERS_MIN:
        return ""
    counts = Counter(name(letter, "?").split()[0] for letter in letters)
    script, count = counts.most_common(1)[0]
    return script if count >= SCRIPT_SHARE * len(letters) else ""


def _latin_language(text: str) -> str:
    words = re.findall(r"[^\W\d_]+", text[:8_000].casefold())
    if len(words) < WORDS_MIN:
        return ""
    shares = sorted(
        (sum(word in common for word in words) / len(words), language)
        for language, common in LANGUAGES.items()
    )
    (second, _), (best, language) = shares[-2:]
    return language if best >= WORD_SHARE and best >= WORD_LEAD * second else ""
