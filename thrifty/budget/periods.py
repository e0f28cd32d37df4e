"""Limits by period: "$5 a day, 100k tokens a minute", and the windows of time that they count in.

A window of a minute is ten seconds long, and a minute's limit counts the current one and the six
before it: so that no sixty seconds, wherever they begin, are over the limit. Hours are those of
UTC. Days and months go from midnight to midnight in a named time zone: a day on which clocks are
put forward or back has 23 or 25 hours.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, get_args

from thrifty.budget import validate
from thrifty.budget.budget_phrase import (
    PERIOD_TAIL_PATTERN,
    make_budget,
    parse_budget,
    split_phrase,
)
from thrifty.budget.errors import InvalidInput
from thrifty.budget.limits import Budget
from thrifty.budget.local_time import EPOCH, MILLISECOND, load_zone, local_time

Period = Literal["run", "minute", "hour", "day", "month"]
"""What a limit is counted over: `run` is the account's whole life."""
Limits = Budget | Mapping[Period, Budget | str | None] | str
"""What a caller may give as limits: of the run alone, by period, or in words."""

PERIODS: tuple[Period, ...] = get_args(Period)
LIMITS_EXAMPLE = "$5 a day, 100k tokens a minute"
LIMITS_PHRASE_MAX = 1_000
"""Each of five periods may have a part for each resource."""

_PERIOD_WORDS: Mapping[Period, str] = {
    "run": "run",
    "minute": "minute min",
    "hour": "hour hr h",
    "day": "day d",
    "month": "month mo",
}
PERIOD_OF_WORD = {word: period for period, words in _PERIOD_WORDS.items() for word in words.split()}
PERIOD_PATTERN = re.compile(
    r"(?P<limit>.+?)\s*(?:\bin all|"
    rf"(?:/|\b(?:an?|per|each|every)\b)\s*(?P<word>{'|'.join(PERIOD_OF_WORD)}))",
    re.ASCII | re.DOTALL,
)
PERIOD_PHRASES: Mapping[Period, str] = {
    "run": "in all",
    "minute": "a minute",
    "hour": "an hour",
    "day": "a day",
    "month": "a month",
}
PERIODS_REMEDY = "a minute, an hour, a day, a month or in all"
NO_LIMIT = "no limit"

MINUTE_BUCKET_MS = 10_000
MINUTE_BUCKETS = 7
"""How many windows a minute's limit counts: with six, a minute that begins within one is over."""
HOUR_MS = 3_600_000

ZONE_PATTERN = re.compile(r"[A-Z][\w+-]*(?:/[\w+-]+)*", re.ASCII)
"""A name in the time zone database, and no path into it."""
ZONE_REMEDY = "use the IANA name of a time zone, such as Europe/Berlin"


def limits_by_period(limits: object, field: str = "limits") -> dict[Period, Budget]:
    """The limits that a caller means: of the run always, of another period where there are any.

    Args:
        limits: a `Budget` (of the run), a mapping from period to `Budget` or words, or words.
            In words, what names no period is of the run.
        field: what the limits are called where they were written.

    Raises:
        InvalidInput: a part cannot be understood, a resource is named twice for one period, or
            latency is limited in another period than the run.
    """
    if isinstance(limits, str):
        named = _parse_limits(limits, field)
    elif isinstance(limits, Budget):
        named = {"run": limits}
    elif isinstance(limits, Mapping):
        named = dict(_read_mapping(limits, field))
    else:
        raise InvalidInput(field, limits, f"use a Budget, or words as in {LIMITS_EXAMPLE!r}")
    for period, budget in named.items():
        if period != "run" and (latency_ms := budget.max_latency_ms) is not None:
            place = f"{field}.{period}.max_latency_ms"
            raise InvalidInput(place, latency_ms, "limit latency in the period 'run' alone")
    others = (period for period in PERIODS[1:] if period in named)
    kept = {period: named[period] for period in others if not named[period].is_unlimited}
    return {"run": named.get("run", Budget()), **kept}


def _parse_limits(phrase: str, field: str) -> dict[Period, Budget]:
    if phrase.strip().lower() == NO_LIMIT:
        return {}
    parts: dict[Period, list[str]] = {}
    for part in split_phrase(phrase, field, LIMITS_PHRASE_MAX, LIMITS_EXAMPLE):
        period, limit = _read_period(part, field)
        parts.setdefault(period, []).append(limit)
    return {
        period: make_budget(said, field if period == "run" else f"{field}.{period}", LIMITS_EXAMPLE)
        for period, said in parts.items()
    }


def _read_period(part: str, field: str) -> tuple[Period, str]:
    match = PERIOD_PATTERN.fullmatch(part)
    if match is None:
        if tail := PERIOD_TAIL_PATTERN.fullmatch(part):
            remedy = f"use {PERIODS_REMEDY}, as {tail['period']!r} is no period"
            raise InvalidInput(field, part, remedy)
        return "run", part
    return PERIOD_OF_WORD[match["word"] or "run"], match["limit"]


def _read_mapping(limits: object, field: str) -> Iterable[tuple[Period, Budget]]:
    given = validate.record(field, limits, PERIODS)
    for period in PERIODS:
        place, budget = f"{field}.{period}", given.get(period)
        if isinstance(budget, str):
            yield period, parse_budget(budget, place)
        elif budget is not None:
            yield period, validate.instance(place, budget, Budget, "Budget(max_cost_usd=5)")


def format_limits(limits: Mapping[Period, Budget]) -> str:
    """Limits in words that `limits_by_period` reads: "$5.00 a day, 9 calls in all"."""
    return (
        ", ".join(
            f"{resource.show(limit)} {PERIOD_PHRASES[period]}"
            for period, budget in limits.items()
            for resource, limit in budget.limited_resources()
        )
        or NO_LIMIT
    )


_LAST_WINDOWS: dict[tuple[Period, str], tuple[int, int]] = {}
"""The last window that was asked for of each period and zone: nearly always it is the next, too."""


def window_of(period: Period, zone: str, now_ms: int) -> tuple[int, int]:
    """The window that an instant is in: when it starts, and when the next one does.

    Args:
        period: any but `run`, which has no windows.
        zone: the IANA name of the time zone in which days and months are counted.
        now_ms: the instant; as all here in milliseconds since 1970.

    Raises:
        InvalidInput: the zone is not known, or the period has no windows.
    """
    known = _LAST_WINDOWS.get((period, zone))
    if known is not None and known[0] <= now_ms < known[1]:
        return known
    window = _find_window(period, zone, now_ms)
    _LAST_WINDOWS[period, zone] = window
    return window


def _find_window(period: Period, zone: str, now_ms: int) -> tuple[int, int]:
    local_zone = time_zone(zone)
    if period == "minute" or period == "hour":
        length_ms = MINUTE_BUCKET_MS if period == "minute" else HOUR_MS
        starts_ms = now_ms - now_ms % length_ms
        return starts_ms, starts_ms + length_ms
    validate.choice("period", period, PERIODS[1:])
    day = local_time(now_ms, local_zone).date()
    if period == "month":
        day = day.replace(day=1)
    following = _day_after(day, period)
    # Where a clock that has just passed midnight is put back, the old date is shown once more.
    while (ends_ms := _midnight_ms(following, local_zone)) <= now_ms:
        day, following = following, _day_after(following, period)
    return _midnight_ms(day, local_zone), ends_ms


def _day_after(day: date, period: Period) -> date:
    if period == "day":
        return day + timedelta(days=1)
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _midnight_ms(day: date, zone: tzinfo) -> int:
    """The first instant at which clocks show this day, or a later one if they skip it."""
    midnight = datetime.combine(day, time(), zone)
    first_ms, second_ms = ((each - EPOCH) // MILLISECOND for each in _both_folds(midnight))
    if first_ms <= second_ms:  # it exists; twice, where clocks are put back over it
        return first_ms
    while first_ms - second_ms > 1:  # they are put forward over it, between these two instants
        middle_ms = (first_ms + second_ms) // 2
        if local_time(middle_ms, zone).date() < day:
            second_ms = middle_ms
        else:
            first_ms = middle_ms
    return first_ms


def _both_folds(local: datetime) -> tuple[datetime, datetime]:
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def time_zone(zone: object, field: str = "zone") -> tzinfo:
    """The time zone of a name in the IANA database.

    Raises:
        InvalidInput: the database has no such name, or the machine has no database.
    """
    if not isinstance(zone, str) or not ZONE_PATTERN.fullmatch(zone):
        raise InvalidInput(field, zone, ZONE_REMEDY)
    try:
        return load_zone(zone)
    except (LookupError, ValueError, OSError) as error:
        raise InvalidInput(field, zone, f"{ZONE_REMEDY}, or install tzdata") from error
