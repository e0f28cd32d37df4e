"""Deterministic prose: of an exact length, or about the subject of a prompt."""

import hashlib
import re
from collections import Counter
from functools import lru_cache

from tests.harness.llm_server import tokens

USUAL_TOKENS = 120
"""How long an answer is when nobody says."""

PASSAGE = (
    "A good plan starts with the result that people need and works back from there. "
    "Each step has an owner, a date and a clear sign that it is done. "
    "The team looks at the risks early, while a change is still cheap. "
    "Small reviews every week keep the work on course and the costs in view. "
    "What can wait is left for later, and the reason is written down. "
    "When the facts change, the plan changes too, and everyone hears about it the same day."
)

SENTENCES = (
    "The heart of the matter is {a}, and how it bears on {b}.",
    "Start with {a}: agree on one owner, one date and one measure of success.",
    "The main risk lies between {b} and {c}; test it in the first week with a small trial.",
    "Keep the cost of {c} in view, and stop early if it grows faster than its benefit.",
    "Those who depend on {a} should see a draft before any decision on {b} is final.",
    "A short review after each stage shows whether {b} still supports {a}.",
    "In the end, {c} decides how well {a} will hold up in practice.",
)

COMMON_WORDS = (
    "about above after again also answer because been before being below between budget could "
    "does each every following from have here into just least make more most must only other "
    "over please prompt should since some step such task than that their them then there these "
    "they this those through under until using very want were what when where which while will "
    "with within without words work would write your"
)


@lru_cache(maxsize=64)
def exactly(tokens_wanted: int) -> str:
    """Prose of exactly that many tokens, always the same."""
    repeats = tokens_wanted // tokens.count(PASSAGE) + 1
    text = tokens.cut(" ".join([PASSAGE] * repeats), tokens_wanted).text
    assert tokens.count(text) == tokens_wanted
    return text


def about(question: str, tokens_max: int | None) -> str:
    """Whole sentences about the question, as many as fit and are usual, but one at least."""
    a, b, c = subjects(question)
    first = hashlib.sha256(question.encode("utf-8", "replace")).digest()[0] % len(SENTENCES)
    room = min(USUAL_TOKENS, tokens_max or USUAL_TOKENS)
    text = ""
    for sentence in SENTENCES[first:] + SENTENCES[:first]:
        longer = f"{text} {sentence.format(a=a, b=b, c=c)}".strip()
        if text and tokens.count(longer) > room:
            break
        text = longer
    return text


def subjects(question: str) -> tuple[str, str, str]:
    """The three words that the question is most about, filled up if it has too few."""
    words = re.findall(r"[^\W\d_]{4,20}", question.lower())
    common = frozenset(COMMON_WORDS.split())
    counted = Counter(word for word in words if word not in common)
    a, b, c = [*(word for word, _ in counted.most_common(3)), "scope", "time", "quality"][:3]
    return a, b, c
