"""The free checks, which every text of a model has to pass. They are hardly ever wrong.

Each looks for what no task wants: a model that repeats itself, or its own markers, or what it was
asked, or that answers in another language. What is only poor passes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from thrifty.budget import CheckResult
from thrifty.checks.other_language import describe_other_language

SENSITIVITY, SPECIFICITY = 0.98, 0.3
"""What is assumed of them: they see junk, and most of what is wrong is none."""
LINES_MOST = 5
"""A line may stand so often in a row."""
LONG_WORDS, LONG_LINES, LONG_REPEATS = 4, 15, 3
"""Of lines with so many words, so many say something new in every third of them at least."""
MARKERS_MOST = 1
ECHO_MIN = 60
"""From so many characters on, a text that is what was asked is an echo."""
LENGTH_FACTOR = 3
"""A text may be so many times as long as wanted, or as short."""
MARKER = re.compile(r"<\|[a-z0-9_]{2,30}\|>|\[/?INST\]|</?s>")
PHRASE = re.compile(r"(?<!\w)((?:[^\W_]+[\s,.;!?]+){1,16}?)\1{8,}")
"""One to sixteen words, again and again."""
LETTER = re.compile(r"([^\W\d_])\1{49,}")
"""One letter, fifty times and more."""


@dataclass(frozen=True, slots=True)
class WantedText:
    """What a text was asked by."""

    task: str
    words: int = 0
    """How long it is to be. Nought: nobody said."""


def check_text(text: str, wanted: WantedText) -> CheckResult | None:
    """The first of these checks that a text does not pass. None where it passes all."""
    for name, find_fault in CHECKS.items():
        if fault := find_fault(text, wanted):
            return CheckResult(name, False, fault)
    return None


def _find_repeated_lines(text: str, wanted: WantedText) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line, run in groupby(lines):
        times = len(list(run))
        if times > LINES_MOST and any(map(str.isalpha, line)):
            return f"the same line {times} times"
    long_lines = [line for line in lines if len(line.split()) >= LONG_WORDS]
    distinct = len(set(long_lines))
    if len(long_lines) >= LONG_LINES and distinct * LONG_REPEATS <= len(long_lines):
        return f"{distinct} lines again and again, {len(long_lines)} in all"
    if found := PHRASE.search(text):
        return f"{found[1].strip()!r} again and again"
    if found := LETTER.search(text):
        return f"the letter {found[1]!r} again and again"
    return ""


def _find_markers(text: str, wanted: WantedText) -> str:
    found = [marker for marker in MARKER.findall(text) if marker not in wanted.task]
    return f"{found[0]} {len(found)} times" if len(found) > MARKERS_MOST else ""


def _find_echo(text: str, wanted: WantedText) -> str:
    said, task = _fold(text), _fold(wanted.task)
    is_echo = len(task) >= ECHO_MIN and said.startswith(task) and len(said) < 1.2 * len(task)
    return "it repeats what was asked" if is_echo else ""


def _find_other_language(text: str, wanted: WantedText) -> str:
    return describe_other_language(text, wanted.task)


def _find_wrong_length(text: str, wanted: WantedText) -> str:
    if not wanted.words:
        return ""
    words = len(text.split())
    if wanted.words / LENGTH_FACTOR <= words <= wanted.words * LENGTH_FACTOR:
        return ""
    return f"{words:,} words, and not about {wanted.words:,}"


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


CHECKS: dict[str, Callable[[str, WantedText], str]] = {
    "repeated text": _find_repeated_lines,
    "model markers": _find_markers,
    "echo": _find_echo,
    "language": _find_other_language,
    "length": _find_wrong_length,
}
"""By name, what finds a fault in a text, in words. Empty where there is none."""
