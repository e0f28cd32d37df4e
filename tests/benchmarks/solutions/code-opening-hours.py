"""Opening hours as text."""

import re
from datetime import date, datetime

DAYS = ["mo", "tu", "we", "th", "fr", "sa", "su"]
DAY_MINUTES = 24 * 60
ALWAYS = "24/7"

Span = tuple[int, int]
"""From the first minute to before the last, of the day on which it begins."""


def is_open(hours: str, when: datetime) -> bool:
    """Whether a shop is open at a moment."""
    minute = when.hour * 60 + when.minute
    return any(begin <= minute < end for begin, end in _spans_on(hours, when.weekday()))


def minutes_open(hours: str, day: date) -> int:
    """For how many minutes a shop is open on a calendar day."""
    spans = _spans_on(hours, day.weekday())
    return sum(any(b <= minute < e for b, e in spans) for minute in range(DAY_MINUTES))


def _spans_on(hours: str, weekday: int) -> list[Span]:
    week = _read(hours)
    late = [(b - DAY_MINUTES, e - DAY_MINUTES) for b, e in week[weekday - 1]]
    return [*week[weekday], *late]


def _read(hours: str) -> list[list[Span]]:
    text = hours.strip().casefold()
    if text == ALWAYS:
        return [[(0, DAY_MINUTES)]] * 7
    week: list[list[Span]] = [[] for _ in DAYS]
    for rule in text.split(";"):
        found = re.fullmatch(r"\s*([a-z\s,-]+?)\s+(off|\d[\d\s:,-]*)\s*", rule)
        if not found:
            raise ValueError(f"no rule: {rule!r}")
        spans = [] if found[2] == "off" else [_span(part) for part in found[2].split(",")]
        for day in _days(found[1]):
            week[day] = spans
    return week


def _days(text: str) -> set[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, *last = (name.strip() for name in part.split("-"))
        if len(last) > 1 or not {first, *last} <= set(DAYS):
            raise ValueError(f"no days: {part!r}")
        begin, end = DAYS.index(first), DAYS.index((last or [first])[0])
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return days


def _span(text: str) -> Span:
    found = re.fullmatch(r"\s*(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)\s*", text)
    if not found:
        raise ValueError(f"no span: {text!r}")
    begin, end = _minute(found[1], found[2]), _minute(found[3], found[4])
    if begin in (end, DAY_MINUTES):
        raise ValueError(f"no span: {text!r}")
    return begin, end if end > begin else end + DAY_MINUTES


def _minute(hour: str, minute: str) -> int:
    since_midnight = int(hour) * 60 + int(minute)
    if int(minute) > 59 or since_midnight > DAY_MINUTES:
        raise ValueError(f"no time: {hour}:{minute}")
    return since_midnight
