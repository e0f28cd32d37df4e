"""Times, money, numbers of people and sizes that a task states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER_WORDS = {word: n for n, word in enumerate(_WORDS, 1)} | {"twelve": 12}
_COUNTS = _NUMBER_WORDS | {"a": 1, "an": 1}

_DAYS = {
    # English; then the units that German, French, Spanish, Italian and Portuguese use.
    "day": 1, "week": 7, "sprint": 14, "fortnight": 14, "month": 30, "quarter": 91, "year": 365,
    "tag": 1, "tage": 1, "tagen": 1, "woche": 7, "wochen": 7, "monat": 30, "monate": 30,
    "monaten": 30, "jour": 1, "semaine": 7, "mois": 30, "día": 1, "dia": 1, "semana": 7,
    "mes": 30, "meses": 30, "mês": 30, "giorni": 1, "settimane": 7, "mesi": 30,
}  # fmt: skip

_ENGLISH = ("day", "week", "sprint", "fortnight", "month", "quarter", "year")
_COUNT = "|".join((r"\d{1,3}(?:,\d{3})+|\d{1,6}", *_NUMBER_WORDS))
_N = rf"(?<![\d.,])({_COUNT})"
# "In a week" says how long; "twice a week" does not.
_N_OR_ONE = rf"(?<![\d.,])({_COUNT}|(?<=for )an?|(?<=in )an?|(?<=within )an?)"
_UNIT = "(" + "|".join(sorted(_DAYS, key=len, reverse=True)) + ")(s?)"
_BEFORE = (
    r"(?:\b(?:in|at|within|over|under|below|max(?:imum)?|less than|up to|no more than|at most|for"
    r"|by|before|until|next|of|lasting|on|with)\s+(?:the\s+next\s+|about\s+|a\s+budget\s+of\s+)?)?"
)
# An age, a record or a look back is no time to do anything in.
_NOT_AFTER = "".join([f"(?<!{word} )" for word in ("aged", "last", "past", "previous")])
_NOT_BEFORE = r"(?!['\u2019]?[ -](?:old|ago|off|away|(?:of )?(?:experience|history)|anniversary)\b)"
_DURATION = re.compile(
    rf"{_BEFORE}{_NOT_AFTER}\b{_N_OR_ONE}(-|\s)?{_UNIT}(?:-long)?\b{_NOT_BEFORE}", re.IGNORECASE
)
_OVER_DAYS = re.compile(r"(?:lasting\b|over\b.*\bdays?$)", re.IGNORECASE)
"""A conference over two days; work over six weeks is another thing."""
_RATE = (
    r"\s+each\b|\s+(?:per|a|an)\s+(?:person|head|guest|adult|child|family|user|seat|hour|day|night"
    r"|week|month|year)\b"
)
_MONEY = re.compile(
    r"(?:,?\s*\b(?:(?:with|on) )?(?:(?:an?|the|our|my) )?(?:total )?budget(?: of| is)?:? )?"
    rf"{_BEFORE}"
    r"(?:[$€£¥₹]\s?(\d[\d.,]{0,14}\d|\d)(?:\s?(k|m|bn|million|thousand|billion)\b)?"
    r"|\b(\d[\d.,]{0,14}\d|\d)\s?(k|m|million|thousand)?\s?(?:usd|eur|gbp|dollars|euros|pounds)\b)"
    rf"({_RATE})?(?:\s+budget\b|\s+in total\b)?",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    rf"{_BEFORE}\b{_N}[ -](?:people|persons?|adults|friends|guests|attendees|participants"
    r"|travell?ers|colleagues|students|kids|children|employees|engineers|developers|managers)\b"
    rf"(?:\s+and\s+({_COUNT}|an?)\s+(?:bab(?:y|ies)|child|children|infants?|kids?|teenagers?"
    r"|toddlers?)\b)?",
    re.IGNORECASE,
)
_SIZE = re.compile(
    rf"(?:\b(?:in|of|within|under|at most|up to|on)\s+)?\b{_N}([ -])?"
    r"(pages?|words?|slides?|paragraphs?|sentences?|minutes?|pagers?)\b",
    re.IGNORECASE,
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATE = re.compile(
    r"(?:\b(?:by|before|until|on|for|from|in|due)\s+(?:the\s+)?)?(?:\b\d{4}-\d\d-\d\d\b"
    rf"|\b{_MONTH}\s+\d{{4}}\b|\b{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:\s+\d{{4}})?\b"
    r"|\b(?:q[1-4]|h[12])\s+\d{4}\b|\b(?:end|start|middle) of [A-Za-z]+\b"
    rf"|\b(?:next|this) (?:{_WEEKDAY}|week|month|quarter|year)\b"
    r"|\b(?:by|before|until|on|due) (?:tomorrow|tonight)\b"
    rf"|\b(?:by|before|until|from|on|due)\s+{_WEEKDAY}\b"
    rf"|\b(?:by|before|until|from|in|during)\s+(?:early\s+|mid[ -]|late\s+)?{_MONTH}\b"
    r"(?!\s(?-i:[A-Z])))",  # a person's name: "poems by May Sarton"
    re.IGNORECASE,
)
_GAP = "\0"
"""Stands where something was taken out; no text that is read has one."""
_LED = re.compile(
    rf"\s+(?:at|by|for|from|in|max\.|my|of|on|our|to|under|until|with|within)\s+{_GAP}",
    re.IGNORECASE,
)
"""What led to it: "for [under $8,000]"."""
_AN = re.compile(rf"\b(a)\s+{_GAP}\s+([aeio]|u(?!ni|s))", re.IGNORECASE)
"""A vowel that has come behind an article: "a 2-day offsite"."""
_EMPTY = re.compile(r"\s*\([\s,;]*\)")
"""Brackets in which nothing is left."""
_NOT = re.compile(
    r"\b(?:not|never|except|excluding)(?:\s+(?:by|before|until|on|for|from|in|at))?\s*$",
    re.IGNORECASE,
)
_SCALES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "bn": 10**9}
_SCALES |= {"billion": 10**9}
_WORDS_A = {"page": 450, "pager": 450, "word": 1, "paragraph": 90, "sentence": 18, "minute": 130}


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time that the task states."""

    text: str
    """As written, without its preposition: "6 weeks"."""
    days: int
    """Calendar days."""
    describes: bool
    """Whether it is the length of the thing itself ("a 3-day trip", "a 3 day trip"), not time to
    do it in."""


@dataclass(frozen=True, slots=True)
class Quantities:
    """Everything counted or dated in a task."""

    duration: Duration | None = None
    money: str = ""
    """The first amount as written: "$2,000"."""
    money_amount: Decimal | None = None
    """The same as a number of its currency."""
    money_is_rate: bool = False
    """Whether it is for each person or each day: "$15 per person"."""
    people: int = 0
    """How many people it is for; 0 when not said."""
    size: str = ""
    """The length of the text: "1 page", "500 words"."""
    size_words: int = 0
    """The same, roughly, in words; 0 when it cannot be counted so."""
    date: str = ""
    """The first date as written, with its preposition: "by March 3"."""
    phrases: tuple[str, ...] = ()
    """All of these but the size, with the words around them, in the order of the task."""


def read_quantities(text: str) -> Quantities:
    """Finds the first of each kind."""
    patterns = (_SIZE, _DURATION, _MONEY, _PEOPLE, _DATE)
    size, duration, money, people, date = (_first(pattern, text) for pattern in patterns)
    found = sorted((m.start(), m.group().strip(" ,")) for m in (duration, money, people, date) if m)
    return Quantities(
        duration=_duration(duration) if duration else None,
        money=re.sub(r"^[^\d$€£¥₹]+", "", money.group()).strip() if money else "",
        money_amount=_amount(money) if money else None,
        money_is_rate=bool(money and money.group(5)),
        people=sum(_count(count) for count in people.groups() if count) if people else 0,
        size=_size(size) if size else "",
        size_words=_size_words(size) if size else 0,
        date=date.group().strip() if date else "",
        phrases=tuple(phrase for _, phrase in found),
    )


def without_quantities(text: str) -> str:
    """The text with counted and dated phrases taken out, so that its nouns stand free."""
    for pattern in (_SIZE, _DURATION, _MONEY, _PEOPLE, _DATE):
        text = pattern.sub(lambda m: m.group() if _is_ruled_out(m) else f" {_GAP} ", text)
        text = _AN.sub(r"\1n \2", _LED.sub(f" {_GAP}", " ".join(text.split())))
        text = " ".join(text.replace(_GAP, " ").split())
    text = _EMPTY.sub("", re.sub(r"\s+([,.;)])", r"\1", text))
    return re.sub(r",(?:\s*,)+", ",", text)


def _first(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next((m for m in pattern.finditer(text) if not _is_ruled_out(m)), None)


def _is_ruled_out(match: re.Match[str]) -> bool:
    """Whether it is said of it that it is not to be: "not in August"."""
    return _NOT.search(match.string, max(0, match.start() - 20), match.start()) is not None


def _count(text: str) -> int:
    return _COUNTS.get(text.lower()) or int(text.replace(",", ""))


def _duration(match: re.Match[str]) -> Duration:
    number, joint, unit, ending = match.groups()
    count, days = _count(number), _DAYS[unit.lower()]
    is_several = unit.lower() in _ENGLISH and count != 1
    is_over_days = _OVER_DAYS.match(match.group()) is not None
    describes = joint == "-" or (is_several and not ending) or is_over_days
    return Duration(f"{count} {unit}{'s' if is_several else ''}", count * days, describes)


def _amount(match: re.Match[str]) -> Decimal | None:
    digits = match.group(1) or match.group(3)
    scale = (match.group(2) or match.group(4) or "").lower()
    plain = re.sub(r"[.,](?=\d{3}\b)", "", digits).replace(",", ".")
    if plain.count(".") > 1:
        return None
    return Decimal(plain) * _SCALES.get(scale, 1)


def _size(match: re.Match[str]) -> str:
    count = _count(match.group(1))
    noun = match.group(3).lower().rstrip("s").replace("pager", "page")
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _size_words(match: re.Match[str]) -> int:
    return _count(match.group(1)) * _WORDS_A.get(match.group(3).lower().rstrip("s"), 0)
