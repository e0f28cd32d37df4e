"""Reads from a task only what a pattern can be sure of: limits, parts, what it touches."""

import re
from dataclasses import dataclass
from itertools import takewhile

from thrifty.budget.plain_text import single_line
from thrifty.executors.offline.playbook import Theme, playbook

READ_MAX = 4_000
"""How much of a task is read, in characters: what is wanted stands at its beginning."""
PARTS_MAX = 8

_COUNTS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
# Only after these words is a time surely one to work in: a 3-day trip takes longer to prepare.
_TIME = re.compile(
    rf"\b(?:in|within) (?:the next )?([1-9]\d{{0,2}}|{_COUNTS}) (day|week|month|year)s?\b"
    r"(?! (?:of|old|ago)\b)",
    re.IGNORECASE,
)
_FOREIGN_TIME = re.compile(
    r"\b(?:in|en|em) \d{1,3} (?:tagen|wochen|monaten|días|dias|semanas|meses|jours|semaines|mois"
    r"|giorni|settimane|mesi)\b|\d{1,3} ?(?:日間|週間|か月|ヶ月|天|周|个月)",
    re.IGNORECASE,
)
_AMOUNT = (
    r"(?:[$€£¥] ?\d++(?:[.,]\d++)*+(?: ?(?:k|m|million|thousand)\b)?+"
    r"|\d++(?:[.,]\d++)*+k? ?(?:USD|EUR|GBP|dollars|euros|pounds)\b)"
)
_COST = re.compile(
    rf"\b(?:budget(?: of| is)?:?|under|below|within|at most|up to|no more than) {_AMOUNT}"
    rf"(?! (?:per|an?|each)\b|/)|{_AMOUNT} budget\b",
    re.IGNORECASE,
)
_MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
_DATE = re.compile(
    rf"\b(?:by|before|until) (?:\d{{4}}-\d\d-\d\d|(?:{_MONTH}) \d{{1,2}}(?:,? \d{{4}})?)\b",
    re.IGNORECASE,
)
_PARTS_FOLLOW = re.compile(r"\b(?:including|covering|with|sections on)\b:? ", re.IGNORECASE)
_BETWEEN = re.compile(r" ?[,;&+] ?(?:and )?| and ", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the|our) ", re.IGNORECASE)
_PART = re.compile(r"[^\W\d]+(?:[ '-][^\W\d]+){0,3}")
"""One to four words."""


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What is certain about a task that is written in English."""

    themes: dict[str, Theme]
    """By the word of the task that names it, in the order of the task."""
    outline: dict[str, str]
    """What usually belongs in each section of such work."""
    parts: list[str]
    """Asked for by name, as written."""
    limits: dict[str, str]
    """`time`, `date` and `cost` in the words of the task, where it states them."""
    days: int
    """The calendar days to work in: those of `time`, or what is usual."""


def read_facts(task: str) -> TaskFacts:
    """Reads the beginning of an English task; what is doubtful is left out."""
    text = single_line(task[:READ_MAX])
    time = _TIME.search(text)
    found = {"time": time, "date": _DATE.search(text), "cost": _COST.search(text)}
    themes = _themes(re.findall(r"[^\W\d_]+", text.casefold()))
    first = next(iter(themes.values()), None)
    usual_days = next((t.days for t in themes.values() if t.days), playbook().days)
    limits = {limit: match[0] for limit, match in found.items() if match}
    for limit in limits.values():
        text = text.replace(limit, ".")  # ends the list of parts before it
    return TaskFacts(
        themes=themes,
        outline=(first and first.outline) or playbook().outline,
        parts=_parts(text),
        limits=limits,
        days=_count(time[1]) * _DAYS[time[2].lower()] if time else usual_days,
    )


def foreign_time(task: str) -> str:
    """A time to work in, in the words of a task in one of the commonest languages, or nothing."""
    found = _FOREIGN_TIME.search(single_line(task[:READ_MAX]))
    return found[0] if found else ""


def _themes(words: list[str]) -> dict[str, Theme]:
    """Each by the first word that names it."""
    themes: dict[str, Theme] = {}
    for word in words:
        for theme in playbook().themes:
            if word in theme.words and theme not in themes.values():
                if theme.outline and not themes:
                    return {word: theme}  # a text or an event that is named first is all of it
                themes[word] = theme
    return themes


def _parts(text: str) -> list[str]:
    """The short names that begin a list, if one at least is known as that of a part."""
    for rest in _PARTS_FOLLOW.split(text)[1:]:
        listed = _BETWEEN.split(re.split(r"[.!?:()]", rest)[0])
        names = list(takewhile(_PART.fullmatch, (_ARTICLE.sub("", n.strip()) for n in listed)))
        if any(name.casefold() in playbook().parts for name in names):
            return list(dict.fromkeys(names))[:PARTS_MAX]
    return []


def _count(text: str) -> int:
    return int(text) if text.isdigit() else _COUNTS.split("|").index(text.lower()) + 1
